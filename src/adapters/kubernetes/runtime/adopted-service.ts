/**
 * A Service that somebody else made and has given to a service, by an annotation. Only what it selects becomes ours: its
 * addresses and ports stay as its clients know them, it has no owner of ours, and it is given back as it was. Pure.
 */
import type { ServiceName } from '../../../model/names.ts';
import { SERVICE } from '../client/kinds.ts';
import { apiVersionOf } from '../client/objects.ts';
import { ADOPT_FOR, SELECTED_BEFORE, selectorOf } from '../labels.ts';
import type { Service } from './objects.ts';
import type { VersionPlace, WantedObject } from './wanted.ts';

type Selector = Readonly<Record<string, string>>;

/** The Service as it must be to lead to a version. What it selected when it was given is kept in it. */
export function adoptedService(
  { namespace, service, version }: VersionPlace,
  { metadata, spec }: Service,
): WantedObject {
  const before = metadata.annotations?.[SELECTED_BEFORE] ?? JSON.stringify(spec?.selector ?? {});
  const selector = selectorOf(service, version);
  const object = {
    apiVersion: apiVersionOf(SERVICE),
    kind: SERVICE.kind,
    metadata: {
      name: metadata.name,
      namespace,
      labels: selector,
      annotations: { [ADOPT_FOR]: service, [SELECTED_BEFORE]: before },
    },
    spec: { selector },
  };
  return { kind: SERVICE, object };
}

/** The Service without anything of ours, selecting what it selected before. */
export function givenBack(found: Service, service: ServiceName): Service {
  const { metadata, spec } = found;
  const { [ADOPT_FOR]: _for, [SELECTED_BEFORE]: before, ...annotations } = metadata.annotations ?? {};
  const ours = Object.keys(selectorOf(service, '' as never));
  const labels = Object.fromEntries(
    Object.entries(metadata.labels ?? {}).filter(([name]) => !ours.includes(name)),
  );
  const selector = selectorIn(before);
  return {
    ...found,
    metadata: { ...metadata, labels, annotations },
    ...(selector === undefined ? {} : { spec: { ...spec, selector } }),
  };
}

/** Why a Service cannot lead to a port of a version's containers, in the end of a sentence; undefined: it can. */
export function whyNotLed({ spec }: Service, target: number | string): string | undefined {
  const ports = spec?.ports ?? [];
  if (Object.keys(spec?.selector ?? {}).length === 0)
    return 'it selects nothing: somebody else says where it leads';
  const targets = ports.map(({ port, targetPort = port }) => targetPort);
  if (targets.includes(target)) return undefined;
  return `it leads to port ${targets.join(', ')}, and the version has ${target}: write the same in spec.runtime.kubernetes.port`;
}

/** Undefined where it is no selector: somebody has written there. */
function selectorIn(text: string | undefined): Selector | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    const isSelector =
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((one) => typeof one === 'string');
    return isSelector && Object.keys(value).length > 0 ? (value as Selector) : undefined;
  } catch {
    return undefined;
  }
}
