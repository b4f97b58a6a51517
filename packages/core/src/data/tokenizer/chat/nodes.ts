/** The nodes of a parsed template, as the library's parser makes them; its declarations don't resolve under Node's rules. */
export type TemplateNode =
  | { readonly type: "Program"; readonly body: readonly TemplateNode[] }
  | {
      readonly type: "If";
      readonly test: TemplateNode;
      readonly body: readonly TemplateNode[];
      readonly alternate: readonly TemplateNode[];
    }
  | {
      readonly type: "For";
      readonly loopvar: TemplateNode;
      readonly iterable: TemplateNode;
      readonly body: readonly TemplateNode[];
      readonly defaultBlock: readonly TemplateNode[];
    }
  | { readonly type: "Break" | "Continue" | "Comment" }
  | {
      readonly type: "Set";
      readonly assignee: TemplateNode;
      readonly value: TemplateNode | null;
      readonly body: readonly TemplateNode[];
    }
  | {
      readonly type: "Macro";
      readonly name: Identifier;
      readonly args: readonly TemplateNode[];
      readonly body: readonly TemplateNode[];
    }
  | {
      readonly type: "CallStatement";
      readonly call: Call;
      readonly callerArgs: readonly TemplateNode[] | null;
      readonly body: readonly TemplateNode[];
    }
  | { readonly type: "FilterStatement"; readonly filter: Identifier | Call; readonly body: readonly TemplateNode[] }
  | {
      readonly type: "MemberExpression";
      readonly object: TemplateNode;
      readonly property: TemplateNode;
      readonly computed: boolean;
    }
  | Call
  | Identifier
  | { readonly type: "IntegerLiteral" | "FloatLiteral"; readonly value: number }
  | { readonly type: "StringLiteral"; readonly value: string }
  | { readonly type: "ArrayLiteral" | "TupleLiteral"; readonly value: readonly TemplateNode[] }
  | { readonly type: "ObjectLiteral"; readonly value: ReadonlyMap<TemplateNode, TemplateNode> }
  | {
      readonly type: "BinaryExpression";
      readonly operator: Operator;
      readonly left: TemplateNode;
      readonly right: TemplateNode;
    }
  | { readonly type: "UnaryExpression"; readonly operator: Operator; readonly argument: TemplateNode }
  | { readonly type: "FilterExpression"; readonly operand: TemplateNode; readonly filter: Identifier | Call }
  | {
      readonly type: "TestExpression";
      readonly operand: TemplateNode;
      readonly negate: boolean;
      readonly test: Identifier;
    }
  | { readonly type: "SelectExpression"; readonly lhs: TemplateNode; readonly test: TemplateNode }
  | {
      readonly type: "Ternary";
      readonly condition: TemplateNode;
      readonly trueExpr: TemplateNode;
      readonly falseExpr: TemplateNode;
    }
  | {
      readonly type: "SliceExpression";
      readonly start?: TemplateNode;
      readonly stop?: TemplateNode;
      readonly step?: TemplateNode;
    }
  | { readonly type: "KeywordArgumentExpression"; readonly key: Identifier; readonly value: TemplateNode }
  | { readonly type: "SpreadExpression" | "KeywordSpreadExpression"; readonly argument: TemplateNode };

interface Identifier {
  readonly type: "Identifier";
  readonly value: string;
}

interface Call {
  readonly type: "CallExpression";
  readonly callee: TemplateNode;
  readonly args: readonly TemplateNode[];
}

interface Operator {
  readonly value: string;
}

export type NodeOf<Type extends TemplateNode["type"]> = Extract<TemplateNode, { readonly type: Type }>;
