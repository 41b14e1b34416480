/** Text of Helm templates: YAML in which expressions stand where values were. */
import { manifestText } from '../../../src/install/manifest.ts';

export const GENERATED = 'Written by `npm run manifests`';

/** The expressions of one template. In the YAML a mark stands for each, until the text is made. */
export class Places {
  readonly #expressions: { readonly expression: string; readonly isOptional: boolean }[] = [];

  /** The mark of an expression. An optional one is left out, with its field, where it is empty. */
  put(expression: string, isOptional = false): string {
    this.#expressions.push({ expression, isOptional });
    return `__${this.#expressions.length - 1}__`;
  }

  /** The line with what its mark stands for. */
  filled(line: string): string {
    return line.replace(/^(.*)__(\d+)__$/, (_, before: string, index: string) => {
      const place = this.#expressions[Number(index)];
      if (place === undefined) throw new Error(`no expression has the mark ${index}: ${line}`);
      const { expression, isOptional } = place;
      return isOptional
        ? `{{- with ${expression} }}\n${before}{{ toJson . }}\n{{- end }}`
        : `${before}{{ ${expression} }}`;
    });
  }
}

/** What is no expression of ours is text, also where it looks like one: dashboards and alerts have their own. */
export function templateText(object: object, places: Places): string {
  return manifestText(object)
    .replaceAll('{{', '{{ "{{" }}')
    .split('\n')
    .map((line) => places.filled(line))
    .join('\n');
}
