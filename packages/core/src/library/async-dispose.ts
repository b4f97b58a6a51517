// `await using` needs this symbol; TypeScript knows it from 5.2 on, and hosts have it from Node 20 on.
declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

export type {};
