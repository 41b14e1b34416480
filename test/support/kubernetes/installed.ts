/** Switchyard's manifests in a test's namespace, brought there as docs/kubernetes.md says: by kubectl. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runHere } from '../admin/here.ts';
import { outputOf, scratchFolder } from './manifest-tools.ts';
import type { TestNamespace } from './shared-cluster.ts';

/** Applies what `switchyard install` prints, the custom resources included, and gives kubectl's words. */
export async function applyInstallation(
  { namespace, kubeconfig }: Pick<TestNamespace, 'namespace' | 'kubeconfig'>,
  { flags = [], dryRun = false }: { readonly flags?: readonly string[]; readonly dryRun?: boolean } = {},
): Promise<string> {
  const { code, stdout, stderr } = await runHere(['install', '--namespace', namespace, ...flags]);
  if (code !== 0) throw new Error(`switchyard install ended with ${code}: ${stderr}`);
  const file = join(scratchFolder(), 'manifests.yaml');
  writeFileSync(file, stdout);
  const how = ['--server-side', '--validate=strict', ...(dryRun ? ['--dry-run=server'] : [])];
  return outputOf('kubectl', '--kubeconfig', kubeconfig, 'apply', ...how, '-f', file);
}
