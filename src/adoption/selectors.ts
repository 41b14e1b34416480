/** What selectors of Kubernetes choose. Pure. */

export type Labels = Readonly<Record<string, string>>;

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator?: string;
    readonly values?: readonly string[];
  }[];
}

/** Whether labels are all that a plain selector asks for. One that asks for nothing chooses nothing, as Services have it. */
export function isChosen(labels: Labels, selector: Labels = {}): boolean {
  const asked = Object.entries(selector);
  return asked.length > 0 && asked.every(([name, value]) => labels[name] === value);
}

/** Whether a selector with expressions chooses the labels. One that asks for nothing chooses everything. */
export function isMatched(
  labels: Labels,
  { matchLabels = {}, matchExpressions = [] }: Selector = {},
): boolean {
  return (
    Object.entries(matchLabels).every(([name, value]) => labels[name] === value) &&
    matchExpressions.every(({ key, operator = 'In', values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    })
  );
}

/** A selector as kubectl writes it. */
export function selectorText(selector: Labels = {}): string {
  const parts = Object.entries(selector).map(([name, value]) => `${name}=${value}`);
  return parts.length === 0 ? 'nothing' : parts.join(',');
}
