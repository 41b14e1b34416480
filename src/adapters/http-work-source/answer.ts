/** What an instance says of its open work: the text of an answer enters, checked facts leave. Unknown fields are allowed. */
import type { Instance } from '../../model/instance.ts';
import { type Instant, instant } from '../../model/instant.ts';
import type { OpenWork } from '../../ports/work-source.ts';
import { count, list, object, optional, parsed, text } from '../stored/shape.ts';
import type { InstanceWork } from '../work-rounds.ts';

interface WorkAnswer {
  readonly asOf: Instant;
  readonly total: number;
  readonly open: readonly ListedWork[];
  readonly version?: string;
}

type ListedWork = Omit<OpenWork, 'instance'>;

const isoInstant = parsed(text, (value) => {
  if (!/^\d{4}-\d\d-\d\dT/.test(value)) throw new Error('ISO 8601, like 2026-08-01T10:15:00Z');
  return instant(Date.parse(value));
});

const answerShape = object<WorkAnswer>({
  asOf: isoInstant,
  total: count,
  open: list(object<ListedWork>({ kind: text, id: text, since: optional(isoInstant) })),
  version: optional(text),
});

/** Reads an answer. Throws an error that names the field that is wrong. */
export function readWorkAnswer(body: string, instance: Instance): InstanceWork {
  const { asOf, total, open, version } = answerShape.read(parseJson(body), '');
  if (version !== undefined && version !== instance.version) {
    throw new Error(`its address is answered by version ${version}, not ${instance.version}`);
  }
  if (total < open.length) throw new Error(`total is ${total}, but ${open.length} are listed as open`);
  return { asOf, total, open: open.map((work) => ({ ...work, instance: instance.id })) };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Error(`its answer is not JSON: ${JSON.stringify(body.slice(0, 60))}`, { cause: error });
  }
}
