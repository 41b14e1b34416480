// What a TypeScript file imports and which globals it uses, read from its syntax tree.
import { parseSync } from 'oxc-parser';

export interface SourceFile {
  /** The module names of all imports: static, `export from`, types and `import()`. */
  readonly imports: readonly string[];
  /** The impure globals that it names, as they stand: `Date`, `Math.random`, ... */
  readonly impure: readonly string[];
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What reads the time, chance, the environment or the world without being imported. */
const impureGlobals = new Set(
  `Date Temporal performance setTimeout setInterval setImmediate queueMicrotask
   process crypto fetch WebSocket globalThis console`.split(/\s+/),
);

/** Reads a file; `path` tells the language by its ending. Throws where the text is no TypeScript. */
export function readSource(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path} cannot be parsed: ${error.message}`);
  const imports: string[] = [];
  const impure: string[] = [];
  visit(program as unknown as Node, (node) => {
    const imported = importOf(node);
    if (imported !== undefined) imports.push(imported);
    const used = impureUse(node);
    if (used !== undefined) impure.push(used);
  });
  return { imports, impure };
}

function importOf(node: Node): string | undefined {
  const named = /^(ImportDeclaration|Export(Named|All)Declaration|ImportExpression|TSImportType)$/.test(
    node.type,
  );
  if (!named || node['source'] == null) return undefined;
  const { value } = node['source'] as { value?: unknown };
  if (typeof value !== 'string') throw new Error('import() of a name that is computed cannot be checked');
  return value;
}

function impureUse(node: Node): string | undefined {
  if (node.type === 'Identifier')
    return impureGlobals.has(String(node['name'])) ? String(node['name']) : undefined;
  if (node.type !== 'MemberExpression') return undefined;
  const [object, property] = [node['object'], node['property']] as [Node, Node];
  return object['name'] === 'Math' && property['name'] === 'random' ? 'Math.random' : undefined;
}

/** Calls `see` for each node, except the names of members and properties: `order.process` uses no global. */
function visit(node: Node, see: (node: Node) => void): void {
  see(node);
  for (const [key, value] of Object.entries(node)) {
    const nameOnly = (key === 'property' || key === 'key' || key === 'imported') && node['computed'] !== true;
    if (nameOnly && (value as Node | null)?.type === 'Identifier') continue;
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, see);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}
