"""What sacrebleu and rouge-score say of generated texts.

Writes scoring/golden.json: `tokens`, lines and their 13a tokens; `corpora`, lists of `texts` (`text`, `references`) with
sacrebleu's corpus BLEU (`bleu`: score, precisions, brevity penalty, lengths), the score without regard to case (`bleu_lowercase`) and rouge-score's mean ROUGE-L (`rouge_l`).

    pip install "sacrebleu==2.6.0" "rouge-score==0.1.2"
    python packages/core/golden/scoring.py
"""

import random

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from tiny import HERE, write_json

OUT = HERE / "scoring" / "golden.json"

LINES = (
    "",
    "   ",
    "A plain line of words",
    "It costs $1,200.50 (or 3.5%), they said.",
    "Don't split well-known words, but 9-to-5 is split; so is 1990-2000.",
    "ends in a number 7.",
    ".5 or 0.5 or 5. or ,5",
    "a&amp;b &lt;tag&gt; &quot;quoted&quot; &amp;lt; &apos;kept&apos;",
    "broken-\nword and\nline ",
    "<skipped>left <skipped> out",
    "e.g. this... and that, , too!?",
    "Größe 3,5 m² – “quoted” … naïve café, 東京。",
    "emoji 😀, then. stop😀.",
    "name[The Eagle], food[French], rating[5 out of 5]",
    "paths /a/b\\c_d ~e^f `g` {h} | i*j+k=l @m #n",
    "tab\tand  two  blanks",
    "trailing hyphen-\n",
    "--- 4-- -4 4.-4",
)

CORPORA = {
    "one right text": [("The cat sat on the mat.", ["The cat sat on the mat."])],
    "nothing in common": [("apple pear plum grape", ["seven iron doors shut"])],
    "shorter than four words": [("Good morning", ["Good morning"]), ("Yes", ["No, thanks"])],
    "an empty text": [("", ["something was expected"]), ("a cheap pub by the river", ["a cheap pub near the river"])],
    "only empty texts": [("", ["something was expected"])],
    "several references": [
        (
            "The Mill is a cheap pub near the river .",
            [
                "The Mill is a pub by the river, and it is cheap.",
                "Near the river there is a cheap pub called The Mill.",
                "The Mill: cheap pub, riverside.",
            ],
        ),
        ("Rated 5 out of 5, Aroma serves French food.", ["Aroma serves French food and is rated 5 out of 5."]),
    ],
    "two references equally near": [("a b c d e f", ["a b c d e f g h", "a b c x", "q r s t u v w x y z"])],
    "repeated words are clipped": [("the the the the the the the", ["the cat is on the mat", "there is a cat on the mat"])],
    "longer than the references": [("one two three four five six seven eight nine", ["one two three four five"])],
    "case and marks count": [("HELLO, world! It's 3.5 km.", ["Hello world. It's 3.5 km!"])],
    "no match of three or four words": [("a b x c d y e f", ["a b q c d r e f"])],
}

SENTENCES = (
    "Green Man is a family friendly Italian restaurant near the bridge.",
    "For $20 or less, the Fox offers breakfast, lunch and dinner from 7 a.m.",
    "You'll find a well-known coffee shop called Dawn beside the old mill (rated 3 out of 5).",
    "The Harbour serves fish; children aren't welcome after 9 p.m., they say.",
    "In 1998-2003 it was the town's only \"Chinese\" place, cheap but good.",
    "Nobody goes there any more, it's too crowded!",
)


def changed(sentence, generator):
    words = sentence.split()
    for _ in range(generator.randrange(5)):
        place = generator.randrange(len(words))
        kind = generator.randrange(3)
        if kind == 0 and len(words) > 1:
            words.pop(place)
        elif kind == 1:
            words.insert(place, generator.choice(("the", "a", "very", "cheap,", "7")))
        else:
            other = generator.randrange(len(words))
            words[place], words[other] = words[other], words[place]
    return " ".join(words)


def drawn(seed):
    generator = random.Random(seed)
    for _ in range(generator.randrange(1, 12)):
        sentence = generator.choice(SENTENCES)
        references = [changed(sentence, generator) for _ in range(generator.randrange(1, 5))]
        yield changed(sentence, generator), references


def measured(name, pairs):
    texts = [text for text, _ in pairs]
    most = max(len(references) for _, references in pairs)
    streams = [[dict(enumerate(references)).get(i) for _, references in pairs] for i in range(most)]
    bleu = BLEU().corpus_score(texts, streams)
    scorer = RougeScorer(["rougeL"])
    rouge = [scorer.score_multi(references, text)["rougeL"].fmeasure for text, references in pairs]
    return {
        "name": name,
        "texts": [{"text": text, "references": references} for text, references in pairs],
        "bleu": {
            "score": bleu.score,
            "precisions": bleu.precisions,
            "brevityPenalty": bleu.bp,
            "length": bleu.sys_len,
            "referenceLength": bleu.ref_len,
        },
        "bleu_lowercase": BLEU(lowercase=True).corpus_score(texts, streams).score,
        "rouge_l": sum(rouge) / len(rouge),
    }


def main():
    tokenizer = Tokenizer13a()
    corpora = {**CORPORA, **{f"drawn with seed {seed}": list(drawn(seed)) for seed in range(16)}}
    golden = {
        "tokens": [{"line": line, "tokens": tokenizer(line.rstrip()).split()} for line in LINES],
        "corpora": [measured(name, pairs) for name, pairs in corpora.items()],
    }
    write_json(OUT, golden)


if __name__ == "__main__":
    main()
