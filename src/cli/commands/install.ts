/**
 * `install`: prints the manifests that come with this release, put together as asked. It needs neither a cluster nor a
 * network: what becomes of its output is for `kubectl apply -f -`, or for a repository.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Installation, manifestsOf } from '../../install/installation.ts';
import { manifestText } from '../../install/manifest.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { printData } from '../output.ts';
import { clusterOf } from '../place.ts';
import { type Context, print } from '../shell.ts';

export interface InstallFlags {
  readonly image?: string;
  readonly overlay: Installation['overlay'];
  readonly replicas?: number;
  readonly withGateway?: boolean;
  readonly withMonitoring?: boolean;
  readonly adminInCluster?: boolean;
  readonly createNamespace?: boolean;
  readonly onlyCrds?: boolean;
  readonly withoutCrds?: boolean;
}

/** Beside src/ and beside dist/. */
const FOLDER = join(import.meta.dirname, '../../../manifests/kubernetes');

/** A label of DNS, which the name of a namespace must be. */
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** What an image may look like; whether there is such a one is the registry's to say. */
const IMAGE = /^[a-z0-9][a-zA-Z0-9._:/-]*(@sha256:[0-9a-f]{64})?$/;

export async function install(context: Context, flags: InstallFlags): Promise<ExitCode> {
  const manifests = manifestsOf(wishOf(clusterOf(context).namespace ?? 'switchyard', flags), readManifest);
  if (context.options.output === 'json') {
    await printData(context, { apiVersion: 'v1', kind: 'List', items: manifests });
  } else if (context.options.output === 'name') {
    print(
      context,
      manifests.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`).join('\n'),
    );
  } else {
    print(context, manifests.map(manifestText).join('---\n'));
  }
  return EXIT.ok;
}

/** What an installation consists of in a namespace, as far as it may be there. */
export function manifestNames(wish: {
  readonly namespace: string;
  readonly withGateway: boolean;
}): readonly { readonly apiVersion: string; readonly kind: string; readonly name: string }[] {
  const manifests = manifestsOf(
    wishOf(wish.namespace, {
      overlay: 'production',
      withGateway: wish.withGateway,
      withMonitoring: true,
      adminInCluster: true,
      withoutCrds: true,
    }),
    readManifest,
  );
  return manifests.map(({ apiVersion, kind, metadata: { name } }) => ({ apiVersion, kind, name }));
}

function readManifest(path: string): string {
  try {
    return readFileSync(join(FOLDER, path), 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(
      EXIT.failed,
      `the manifests of this release cannot be read (${why}); install the whole package again`,
    );
  }
}

function wishOf(namespace: string, flags: InstallFlags): Installation {
  const { image, overlay, replicas } = flags;
  if (!NAMESPACE.test(namespace)) {
    throw new CliError(
      EXIT.usage,
      `--namespace: ${JSON.stringify(namespace)} is no name of a namespace: 1 to 63 small letters, digits and dashes`,
    );
  }
  if (image !== undefined && !IMAGE.test(image)) {
    throw new CliError(
      EXIT.usage,
      `--image: ${JSON.stringify(image)} is no image; write it as registry.example/switchyard:TAG`,
    );
  }
  return {
    namespace,
    overlay,
    ...(image === undefined ? {} : { image }),
    ...(replicas === undefined ? {} : { replicas }),
    withGateway: flags.withGateway === true,
    withMonitoring: flags.withMonitoring === true,
    adminInCluster: flags.adminInCluster === true,
    createNamespace: flags.createNamespace === true,
    crds: crdsOf(flags),
  };
}

function crdsOf({ onlyCrds, withoutCrds }: InstallFlags): Installation['crds'] {
  if (onlyCrds === true) return 'Only';
  return withoutCrds === true ? 'LeftOut' : 'Included';
}
