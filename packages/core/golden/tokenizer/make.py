"""Golden ids of transformers' fast tokenizers, for src/data/tokenizer.golden.test.ts.

python make.py DATA   where DATA holds tokenizers/bert-base-uncased, tokenizers/gpt2 and
checkpoints/tinystories-656k-llama. (checkpoints/all-minilm-l6-v2 must give the ids of bert-base-uncased.)

Writes strings.json (our own strings and pairs), tiny-wordpiece.json and tiny-bytes.json (two small tokenizers made here
from those strings), and golden.json (ids only). Deterministic: running it again writes the same bytes.
"""

import json
import random
import sys
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent

HAND = [
    "", " ", "\n", "\t \t", "a", "A", ".", "...", "hello world", "Hello, World!", "  leading and trailing  ",
    "two  spaces   three", "tab\tseparated\tcells", "line one\nline two\r\nline three", "ends with newline\n",
    "don't can't won't I'm you're they've she'd we'll it's", "DON'T SHOUT, I'M HERE", "rock 'n' roll o'clock",
    "naïve café résumé Ångström", "nai\u0308ve cafe\u0301 decomposed", "ÀÉÎÕÜ ÇÑ ß ẞ Œ Æ ø Ø ł Ł đ",
    "İstanbul ISTANBUL ıI", "ΟΔΥΣΣΕΥΣ ΣΑΣ σας Σ", "ὈΔΥΣΣΕΎΣ ἀγαθός", "Привет, мир! Ёлка ЙОГА", "שלום עולם", "مرحبا بالعالم", "नमस्ते दुनिया",
    "สวัสดีชาวโลก", "안녕하세요 세계", "你好，世界。", "日本語のテキスト カタカナ ひらがな", "混ぜた text と English 文",
    "𠀀𠀁 rare ideographs 㐀", "full ｗｉｄｔｈ ＡＢＣ １２３", "ﬁne ﬂow ligatures ﬀ", "① ② ½ ¼ ² ³ ™ © ®",
    "emoji 😀😃 👍🏽 👩‍👩‍👧‍👦 🇩🇪 ❤️", "zero\u200bwidth\u200djoiner\u2060word", "soft\u00adhyphen", "non\u00a0breaking\u00a0space",
    "em—dash en–dash figure‒dash minus−sign", "“curly” ‘quotes’ „low“ «guillemets»", "bullet • middle · dot … ellipsis",
    "ideographic\u3000space", "next\u0085line", "byte\ufeffmark", "marks \ufeff / \ufeff47 a \ufeff", "next \u0085 \u0085line", "\ufeffstarts with a mark", "bell\u0007 and null\u0000 inside",
    "escape\u001b[31mred", "delete\u007fchar", "line\u2028separator\u2029paragraph", "thin\u2009hair\u200aspaces\u202f",
    "replacement \ufffd char", "private \ue000 use", "unassigned \u0378 here", "math 𝒜𝓑 𝟘𝟙 ∑∫√∞ ≠ ≤",
    "1234567890", "3.14159 -2.5e-10 1,000,000", "12:30 2024-02-29 50% $9.99 €5 £3 ¥100", "x=1;y=2;z=x+y", "a_b_c snake_case kebab-case camelCase PascalCase",
    "http://example.org/a/b?c=d&e=f#g", "someone@example.org", "C:\\path\\to\\file", "/usr/local/bin", "<b>bold</b> &amp; &lt;",
    "#hashtag @mention", "{\"key\": [1, 2, {\"n\": null}]}", "def f(x):\n    return x ** 2\n", "SELECT * FROM t WHERE a='b';",
    "!!!???", "(((nested)))", "[brackets] {braces} <angles>", "`ticks` ~tilde~ ^caret^ |pipe|", "a.b.c.d", "e.g. i.e. etc.",
    "[CLS] inside [SEP] text [MASK] here [PAD] [UNK]", "[cls] lower [Mask]", "[CLS][SEP]", "x[MASK]y", "<s> </s> <pad> <mask> <unk>",
    "<|endoftext|>", "before<|endoftext|>after", "##ing ##s un##able", "constructor toString __proto__ hasOwnProperty",
    "supercalifragilisticexpialidocious antidisestablishmentarianism", "pneumonoultramicroscopicsilicovolcanoconiosis",
    "a" * 99, "a" * 100, "a" * 101, "é" * 100, "é" * 101, "ab" * 150, "=" * 60, "-" * 7, " " * 9 + "x", "xyzzyqwrtplkjhgfdszxcvbnm",
    "the quick brown fox jumps over the lazy dog", "The Quick Brown Fox Jumps Over The Lazy Dog.",
    "a charming and often affecting journey .", "it 's not that kung pow is n't funny some of the time", "-lrb- 3.5 stars -rrb-",
    "mr . spielberg 's work", "No .", "yes", "?", "'", "''", "\"", "\"\"", "'s", "'ll 've", " 's", "n't", "…", "—",
    "one.two,three;four:five!six?seven", "multi-word-hyphen-ated-thing", "U.S.A. vs. U.K.", "Ph.D.", "3rd 21st 100th", "2x4 4K 8GB",
    "ﷺ long ligature", "ǅ titlecase ǆ", "ŉ ʼn", "K Kelvin Å angstrom", "ῼ ᾳ", "Ⅷ ⅷ roman", "ſ long s", "\u0301 starts with accent",
    "e\u0301\u0323 stacked", "कि", "각 각", "ก็ำ", "ﾊﾝｶｸ", "〜～~", "・･·", "〇零", "々〻", "⼀⼁", "豈更", "ꜰ ꟸ", "𝓽𝓮𝔁𝓽",
    "\u061c\u200e\u200f marks", "a\u034fb", "\u1680ogham\u180emvs", "$+<=>^`|~", "¡¿§¶†‡", "⁊ ⸘ ⹒", "₿ ₹ ₽", "←→⇒", "█▒░", "♠♥",
]

PIECES = [
    "the", "a", "film", "movie", "was", "not", "very", "good", "bad", "unbelievably", "tedious", "Café", "NASA", "it's", "n't", ",", ".", "!", "?",
    "—", "“", "”", "…", "42", "3.5", "1990s", "  ", "\n", "\t", "re-watch", "über", "日本", "語", "мир", "😀", "👍🏽", "@user", "#tag", "http://x.y", "co_op",
    "xylographer", "zzz", "Q&A", "(sic)", "[...]", "naïve", "e\u0301", "\u00a0", "ﬁ", "½", "'s", "I'm", "ing", "##ed", "O'Neill", "5%", "$7", "–",
]


def strings():
    rng = random.Random(7)
    made = []
    while len(made) < 140:
        words = [rng.choice(PIECES) for _ in range(rng.randint(1, 40))]
        made.append(rng.choice([" ", " ", " ", ""]).join(words))
    return HAND + made


def pairs(count):
    """[first, second, max length]: every kind of relation between the two lengths and the room."""
    rng = random.Random(11)
    fixed = [[8, 9, 16], [0, 8, 16], [8, 0, 16], [0, 0, 8], [1, 1, 16], [91, 8, 9], [8, 91, 9], [91, 92, 9]]
    made = [[rng.randrange(count), rng.randrange(count), rng.choice([5, 6, 7, 8, 9, 12, 17, 32, 33, 64, 128])] for _ in range(120)]
    return fixed + made


def words():
    """Lists of words for token classification; some give no token at all."""
    rng = random.Random(13)
    fixed = [["Hello", ",", "world"], ["EU", "rejects", "German", "call", "."], ["", "x"], ["\u200b", "a", " "], ["naïve", "café"], ["two words", "one"]]
    return fixed + [[rng.choice(PIECES) for _ in range(rng.randint(1, 25))] for _ in range(30)]


def tiny_wordpiece(texts):
    """A cased vocabulary behind BERT's normalizer that keeps case and accents; [CLS] A [SEP] B [SEP]."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    counts = Counter(word for text in texts for word, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(text))
    letters = sorted({letter for word, count in counts.items() if count > 1 for letter in word})
    known = sorted(word for word, count in counts.items() if count > 4 and len(word) > 1)
    vocab = names + letters + ["##" + letter for letter in letters] + known
    tok = Tokenizer(models.WordPiece({token: i for i, token in enumerate(vocab)}, unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer(lowercase=False)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.decoder = decoders.WordPiece()
    tok.add_special_tokens(names)
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tok


def tiny_bytes(texts):
    """Byte-level BPE as RoBERTa has it: <s> A </s> </s> B </s>, all of type 0, <mask> swallows the space before it."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tok.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=500, special_tokens=names, initial_alphabet=sorted(alphabet)))
    from tokenizers import AddedToken

    tok.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tok.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tok


def word_form(path):
    """The same tokenizer with a space before each word, as transformers' `add_prefix_space=True` sets it."""
    parsed = json.loads(Path(path).read_text())
    if (parsed["pre_tokenizer"] or {}).get("type") == "ByteLevel":
        parsed["pre_tokenizer"]["add_prefix_space"] = True
    parsed["truncation"] = parsed["padding"] = None
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(parsed)))


def run(path, texts, couples, lists):
    tok = PreTrainedTokenizerFast(tokenizer_file=str(path))
    raw = Tokenizer.from_file(str(path))
    raw.no_truncation()
    raw.no_padding()
    out = {"single": [], "truncated": [], "pairs": [], "words": [], "decoded": []}
    for index, text in enumerate(texts):
        ids = raw.encode(text).ids
        out["single"].append(ids)
        short = 3 + index % 7
        out["truncated"].append([short, tok(text, truncation=True, max_length=short)["input_ids"]])
        out["decoded"].append(tok.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
    for first, second, room in couples:
        # as a batch of one: called with a lone pair whose second text is empty, transformers forgets that it is a pair
        got = tok([texts[first]], [texts[second]], truncation=True, max_length=room, return_token_type_ids=True)
        out["pairs"].append([got["input_ids"][0], got["token_type_ids"][0]])
    by_word = word_form(path)
    for index, listed in enumerate(lists):
        room = 6 + index % 20
        got = by_word(listed, is_split_into_words=True, truncation=True, max_length=room)
        ids = got.word_ids()
        out["words"].append([room, got["input_ids"], [ids.index(w) if w in ids else -1 for w in range(len(listed))]])
    return out


def main(data):
    texts = strings()
    couples = pairs(len(texts))
    lists = words()
    tiny_wordpiece(texts).save(str(HERE / "tiny-wordpiece.json"))
    tiny_bytes(texts).save(str(HERE / "tiny-bytes.json"))
    write("strings.json", {"texts": texts, "pairs": couples, "words": lists})
    files = {
        "tiny-wordpiece": HERE / "tiny-wordpiece.json",
        "tiny-bytes": HERE / "tiny-bytes.json",
        "tokenizers/bert-base-uncased": data / "tokenizers/bert-base-uncased/tokenizer.json",
        "tokenizers/gpt2": data / "tokenizers/gpt2/tokenizer.json",
        "checkpoints/tinystories-656k-llama": data / "checkpoints/tinystories-656k-llama/tokenizer.json",
    }
    golden = {}
    for name, path in files.items():
        golden[name] = run(path, texts, couples, lists)
        if not name.startswith("tiny"):
            del golden[name]["decoded"]
    write("golden.json", golden)


def write(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


main(Path(sys.argv[1]))
