/** An installation for one test, in a namespace of the shared cluster; its logs are shown where the test fails. */
import { onTestFinished } from 'vitest';
import { type TestNamespace, testNamespace } from '../shared-cluster.ts';
import { Installation, type InstallationOptions } from './installation.ts';

/** Starts it; where there is no cluster, the running test ends as not run. */
export async function useInstallation(
  options: InstallationOptions & { readonly place?: TestNamespace } = {},
): Promise<Installation> {
  const place = options.place ?? (await testNamespace());
  const installation = await Installation.start(place, options);
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(installation.replicas.logs());
    await installation.stop();
  });
  return installation;
}
