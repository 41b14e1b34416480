/**
 * How a service begins of which nothing is recorded: new, or found running after a restore that brought its object back and
 * not its record. What cannot be told from the cluster is asked, and until it is answered nothing moves. Pure.
 */
import { isName, NAME_RULE, type VersionName, versionName } from '../model/names.ts';
import type { Found } from '../operations/types.ts';
import { FINALIZER, type ServiceObject } from './objects.ts';

/** Says which version is primary, where nothing is recorded and nothing else says it. */
export const PRIMARY_ANNOTATION = 'switchyard.dev/primary';
/** In its place: there was never any, so that the first version may take the default traffic. */
const NO_PRIMARY = '-';

export type Beginning =
  | { readonly kind: 'New' }
  | { readonly kind: 'Found'; readonly found: Found }
  /** It was looked after before, and nobody says who was primary. */
  | { readonly kind: 'Unknown'; readonly message: string };

/** What is seen in the cluster of a service. */
export interface Traces {
  /** That its primary Service leads to. */
  readonly selected: VersionName | undefined;
  readonly versions: readonly VersionName[];
}

export function beginningOf({ metadata, status }: ServiceObject, traces: Traces): Beginning {
  const { name, annotations = {}, finalizers = [] } = metadata;
  const said = annotations[PRIMARY_ANNOTATION]?.trim();
  const answers = `annotate it with ${PRIMARY_ANNOTATION}=VERSION, or with ${PRIMARY_ANNOTATION}=${NO_PRIMARY} where it never had one`;
  if (said !== undefined && said !== NO_PRIMARY && !isName(said)) {
    return {
      kind: 'Unknown',
      message: `${PRIMARY_ANNOTATION} is ${JSON.stringify(said)}: a version is ${NAME_RULE}`,
    };
  }
  if (said === NO_PRIMARY) return { kind: 'New' };
  const primary = said === undefined ? (traces.selected ?? primaryIn(status)) : versionName(said);
  if (primary !== undefined) return { kind: 'Found', found: { primary, versions: traces.versions } };
  // A new object has neither; one that was looked at has a status, unless a restore left that out.
  const wasKept = finalizers.includes(FINALIZER) && status?.observedGeneration === undefined;
  if (!wasKept) return { kind: 'New' };
  return {
    kind: 'Unknown',
    message: `${name} was looked after before, nothing is recorded of it, and nothing says which version is primary: put ServiceRoutings and ControllerStates back from the backup, or ${answers}`,
  };
}

function primaryIn(status: ServiceObject['status']): VersionName | undefined {
  const primary = status?.primary;
  return primary !== undefined && isName(primary) ? versionName(primary) : undefined;
}
