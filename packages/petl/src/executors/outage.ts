/** Says what is wrong with the queue once, however often it is met. */
export function outage(remark: (text: string) => void): (error: unknown) => void {
  let said = "";
  return (error) => {
    const text = error instanceof Error ? error.message || error.name : String(error);
    if (text !== said) remark(`the queue: ${text}`);
    said = text;
  };
}
