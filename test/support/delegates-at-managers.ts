/** A delegate source that says what a test says: who is connected to which version. */
import type { DelegateAnswer } from '../../src/model/delegates.ts';
import { instant } from '../../src/model/instant.ts';
import { tenantName, versionName } from '../../src/model/names.ts';
import type { ManagerId } from '../../src/model/workflow.ts';
import type { DelegateSource } from '../../src/ports/delegate-source.ts';
import { boxId } from './watchers.ts';

export class DelegatesAtManagers implements DelegateSource {
  /** By box: its tenant, and the versions that it is connected to. */
  readonly boxes = new Map<string, { readonly tenant: string; readonly versions: Set<string> }>();
  /** Why nobody knows; empty: it is known. */
  unknown = '';

  /** The delegate of a box connects to a version. */
  connect(box: string, tenant: string, version: string): void {
    const known = this.boxes.get(box) ?? { tenant, versions: new Set() };
    known.versions.add(version);
    this.boxes.set(box, known);
  }

  /** It closes its stream to a version, or to all. */
  leave(box: string, version?: string): void {
    if (version === undefined) this.boxes.delete(box);
    else this.boxes.get(box)?.versions.delete(version);
  }

  async delegates(): Promise<DelegateAnswer> {
    if (this.unknown !== '') return { kind: 'unknown', reason: this.unknown };
    const asOf = instant(Date.now());
    const delegates = [...this.boxes].flatMap(([box, { tenant, versions }]) =>
      [...versions].map((version) => ({
        delegate: boxId(box),
        tenant: tenantName(tenant),
        version: versionName(version),
        tags: [],
        capacity: 1,
        running: 0,
        manager: 'manager-1' as ManagerId,
        since: asOf,
        lastSeen: asOf,
      })),
    );
    return { kind: 'named', asOf, delegates };
  }
}
