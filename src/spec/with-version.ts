/**
 * A document with another wanted version, for `deploy`: only the value of spec.version changes in the text, so comments,
 * order and style stay byte for byte as the user wrote them.
 */
import type { Node } from 'yaml';
import { isMap, isScalar, parseDocument, stringify } from 'yaml';
import type { VersionName } from '../model/names.ts';

/** The document cannot be changed without touching more than its version; the message says what to write. */
export class UnchangeableDocumentError extends Error {
  override readonly name = 'UnchangeableDocumentError';
}

/**
 * The document of one service with `version` as its spec.version. Throws UnchangeableDocumentError where it has no such
 * field, or where other fields are aliases of it.
 */
export function withVersion(document: string, version: VersionName): string {
  const node = versionNode(document);
  const [start, end] = node.range ?? [0, 0];
  const changed = document.slice(0, start) + written(node, version) + document.slice(end);
  if (!isOnlyChange(document, changed, version)) {
    throw new UnchangeableDocumentError(
      `spec.version of the document has an anchor that other fields use, or is no plain text: write it as plain text, such as version: ${version}, and apply that`,
    );
  }
  return changed;
}

function versionNode(document: string): Node {
  const { contents } = parseDocument(document, { schema: 'core', merge: false, logLevel: 'silent' });
  const spec = isMap(contents) ? contents.get('spec', true) : undefined;
  const node = isMap(spec) ? spec.get('version', true) : undefined;
  if (node === undefined) {
    throw new UnchangeableDocumentError(
      'the document has no spec.version to change: apply it again as a whole',
    );
  }
  return node as Node;
}

/** In quotes where it was in quotes, or where YAML would take it for something else. */
function written(node: Node, version: VersionName): string {
  const style = isScalar(node) ? node.type : undefined;
  if (style === 'QUOTE_DOUBLE') return `"${version}"`;
  if (style === 'QUOTE_SINGLE') return `'${version}'`;
  return stringify(version).trimEnd();
}

function isOnlyChange(before: string, after: string, version: VersionName): boolean {
  const [was, is] = [before, after].map((text) =>
    parseDocument(text, { schema: 'core', merge: false, logLevel: 'silent' }),
  );
  if (was === undefined || is === undefined || is.errors.length > 0) return false;
  const wanted = was.toJS() as { readonly spec: Readonly<Record<string, unknown>> };
  const expected = { ...wanted, spec: { ...wanted.spec, version } };
  return JSON.stringify(is.toJS()) === JSON.stringify(expected);
}
