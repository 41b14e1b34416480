/** What is looked at in a Pod template, whose fields are Kubernetes' own. */
import type { Json } from '../model/json.ts';

export type Mapping = { readonly [name: string]: Json };

/** The containers of a template; undefined where it has no list of mappings for them. */
export function containersOf(template: Mapping): readonly Mapping[] | undefined {
  const spec = mappingOf(template['spec']);
  const containers = spec?.['containers'];
  if (!Array.isArray(containers)) return undefined;
  const mappings = (containers as readonly Json[]).map(mappingOf);
  return mappings.every((container) => container !== undefined) ? mappings : undefined;
}

/** Whether a container shows by the gRPC health protocol that it is ready. */
export function probesGrpc(template: Mapping): boolean {
  return (containersOf(template) ?? []).some(
    (container) => mappingOf(container['readinessProbe'])?.['grpc'] !== undefined,
  );
}

/** The mapping that a value is, if it is one. */
export function mappingOf(value: Json | undefined): Mapping | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Mapping)
    : undefined;
}

/** The mappings of a list; what is none is left out. */
export function mappingsOf(value: Json | undefined): readonly Mapping[] {
  return Array.isArray(value)
    ? (value as readonly Json[]).map(mappingOf).filter((item) => item !== undefined)
    : [];
}

/** Whether any text within a value holds `part`. */
export function holdsText(value: Json, part: string): boolean {
  if (typeof value === 'string') return value.includes(part);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((child) => holdsText(child, part));
}
