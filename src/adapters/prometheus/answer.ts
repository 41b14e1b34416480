/**
 * What Prometheus' HTTP API says (https://prometheus.io/docs/prometheus/latest/querying/api/): the text of an answer
 * enters, its result leaves. An answer that is not what the API promises, that is an error whatever its status, or that
 * comes with a warning (a part of the data is missing) throws an error in words.
 */
import { type Instant, instant } from '../../model/instant.ts';
import { excerpt } from '../../model/text.ts';
import type { Series, VectorElement } from '../../ports/metric-source.ts';
import type { HttpReply } from '../http-request.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = Series['samples'][number];

/** The `data` of an answer. Throws where it is none, or not whole. */
export function dataOf({ status, body }: HttpReply): Readonly<Record<string, unknown>> {
  const answer = parseObject(body);
  if (answer === undefined) throw new Error(`answered status ${status} and no JSON object: ${excerpt(body)}`);
  if (answer['status'] === 'error' || status < 200 || status > 299) {
    const what = [answer['errorType'], answer['error']].filter((part) => typeof part === 'string').join(': ');
    throw new Error(`answered status ${status}, ${what === '' ? excerpt(body) : what}`);
  }
  if (answer['status'] !== 'success') throw new Error(`answered neither success nor error: ${excerpt(body)}`);
  const { warnings } = answer;
  if (Array.isArray(warnings) && warnings.length > 0)
    throw new Error(`answered with a warning, so a part may be missing: ${warnings.map(String).join('; ')}`);
  const { data } = answer;
  if (!isObject(data)) throw new Error(`answered success without data: ${excerpt(body)}`);
  return data;
}

/** The elements of an instant query. A scalar is an element without labels. */
export function readVector(data: Readonly<Record<string, unknown>>): readonly VectorElement[] {
  const { resultType, result } = data;
  if (resultType === 'scalar') return [{ labels: {}, ...readSample(result) }];
  if (resultType !== 'vector' || !Array.isArray(result))
    throw new Error(`answered a ${String(resultType)} where one number for each series belongs`);
  return result.map((element: unknown) => {
    if (!isObject(element)) throw new Error(`answered ${excerpt(element)} where a series belongs`);
    return { labels: readLabels(element['metric']), ...readSample(element['value']) };
  });
}

/** The series of a selector with a range. */
export function readMatrix(data: Readonly<Record<string, unknown>>): readonly Series[] {
  const { resultType, result } = data;
  if (resultType !== 'matrix' || !Array.isArray(result))
    throw new Error(`answered a ${String(resultType)} where raw samples belong`);
  return result.map((element: unknown) => {
    if (!isObject(element)) throw new Error(`answered ${excerpt(element)} where a series belongs`);
    const { metric, values } = element;
    if (!Array.isArray(values))
      throw new Error(`answered ${excerpt(element)} where samples belong; native histograms cannot be read`);
    return { labels: readLabels(metric), samples: values.map(readSample) };
  });
}

/** `[seconds, "value"]`. */
function readSample(pair: unknown): Sample {
  const [seconds, text]: unknown[] = Array.isArray(pair) ? pair : [];
  if (typeof seconds !== 'number' || typeof text !== 'string')
    throw new Error(`answered ${excerpt(pair)} where a sample belongs; native histograms cannot be read`);
  return { at: readInstant(seconds), value: readValue(text) };
}

function readInstant(seconds: number): Instant {
  return instant(Math.round(seconds * 1000));
}

function readValue(text: string): number {
  switch (text) {
    case '+Inf':
      return Number.POSITIVE_INFINITY;
    case '-Inf':
      return Number.NEGATIVE_INFINITY;
    case 'NaN':
      return Number.NaN;
    default: {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (Number.isNaN(value)) throw new Error(`answered the value ${excerpt(text)}, which is no number`);
      return value;
    }
  }
}

function readLabels(metric: unknown): Labels {
  if (!isObject(metric)) throw new Error(`answered ${excerpt(metric)} where labels belong`);
  for (const [name, value] of Object.entries(metric))
    if (typeof value !== 'string') throw new Error(`answered the label ${name} with ${excerpt(value)}`);
  return metric as Labels;
}

function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
