/** The canonical document of a service: every default written out, fields in the order of the proto. */
import { stringify } from 'yaml';
import type { VersionedService } from '../model/spec.ts';
import { fromService } from './from-model.ts';
import { type Plain, plainService } from './plain.ts';

/** The document as plain data, for JSON. */
export function serviceDocument(spec: VersionedService): Plain {
  return plainService(fromService(spec));
}

/** The document as YAML. Parsing it gives `spec` again. */
export function formatService(spec: VersionedService): string {
  // Long values stay on their line: a folded one is harder to compare.
  return stringify(serviceDocument(spec), { lineWidth: 0, aliasDuplicateObjects: false });
}
