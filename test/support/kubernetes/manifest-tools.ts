/** kustomize, helm, kubeconform and kubectl-validate for tests, and objects that can be compared. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { findTool, type ToolName } from '../../../scripts/tools.ts';
import type { Manifest } from '../../../src/install/manifest.ts';
import { notRun } from '../not-run.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a tool to its end; where it cannot be had the running test ends as not run. */
export async function runTool(name: ToolName, args: readonly string[]): Promise<Ended> {
  const tool = findTool(name);
  if (tool.kind === 'missing') return notRun(`what ${name} says of our manifests`, tool.why);
  try {
    const options = { maxBuffer: 64 * 1024 * 1024 };
    return { code: 0, ...(await promisify(execFile)(tool.path, [...args], options)) };
  } catch (error) {
    const { code, stdout, stderr } = error as Partial<Ended>;
    if (typeof code !== 'number') throw error;
    return { code, stdout: stdout ?? '', stderr: stderr ?? '' };
  }
}

/** The standard output of a tool that must succeed. */
export async function outputOf(name: ToolName, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool(name, args);
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}

/** Objects by kind and name, so that their order does not count. */
export type Objects = Readonly<Record<string, Manifest>>;

export function objectsIn(text: string): Objects {
  return byName(
    (parseAllDocuments(text) as { toJS(): Manifest | null }[]).flatMap((each) => each.toJS() ?? []),
  );
}

function byName(manifests: readonly Manifest[]): Objects {
  return Object.fromEntries(manifests.map((each) => [`${each.kind}/${each.metadata.name}`, each]));
}

/** A folder that goes with the running test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-manifests-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
