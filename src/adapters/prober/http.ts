/** A probe over HTTP/1.1: one request straight to an instance, with the pin that pinned clients send. */
import type { ProbeMetric } from '../../model/check.ts';
import type { Instance } from '../../model/instance.ts';
import { sendHttp } from '../http-request.ts';
import { instanceLabel } from '../instance-round.ts';
import { excerpt, type InstanceAnswer } from './verdict.ts';

/** More of an answer is not read: its status decides. */
const MOST_BYTES = 16 * 1024;

export interface HttpProbe {
  readonly metric: Extract<ProbeMetric, { kind: 'http' }>;
  readonly instance: Instance;
  readonly pinHeader: string;
  readonly signal: AbortSignal;
}

/** Rejects where no answer came. */
export async function probeHttp({ metric, instance, pinHeader, signal }: HttpProbe): Promise<InstanceAnswer> {
  const { method, path, statuses, timeout } = metric;
  const { status, body } = await sendHttp({
    target: { protocol: 'http:', ...instance.address, path },
    method,
    headers: { 'user-agent': 'switchyard-probe', ...metric.headers, [pinHeader]: instance.version },
    timeout,
    maxBytes: MOST_BYTES,
    longer: 'CutOff',
    signal,
  });
  const isGood = status >= statuses.from && status <= statuses.to;
  const said = `${instanceLabel(instance)}: ${method} ${path} answered ${status}`;
  if (isGood) return { isGood, detail: said };
  return {
    isGood,
    detail: `${said}, which is not ${statuses.from} to ${statuses.to}${excerpt(body)}`,
  };
}
