// What is made of a spec on Kubernetes: the template of a version, its own copies, and all objects as they are applied.
import { parseAllDocuments } from 'yaml';
import type { Deployment } from '../../src/adapters/kubernetes/runtime/objects.ts';
import { primaryService } from '../../src/adapters/kubernetes/runtime/primary-services.ts';
import {
  copiedTemplate,
  withOwnCopies,
  writtenTemplate,
} from '../../src/adapters/kubernetes/runtime/template.ts';
import { wantedObjects } from '../../src/adapters/kubernetes/runtime/wanted.ts';
import { parseServices } from '../../src/spec/parse.ts';
import { goldenCases } from '../support/golden-yaml.ts';

goldenCases({
  folder: 'test/golden/kubernetes',
  stage: (source) => {
    const documents = parseAllDocuments(source.text).map((document) => document.toJS() as { kind: string });
    const deployment = documents.find(({ kind }) => kind === 'Deployment') as Deployment | undefined;
    const [service] = parseServices(source).services;
    if (service?.spec.runtime.kind !== 'kubernetes') throw new Error(`${source.file} holds no service`);
    const { name, version, runtime } = service.spec;
    const owner = {
      apiVersion: 'switchyard.dev/v1alpha1',
      kind: 'VersionedService',
      name,
      uid: '3f1c',
      controller: true,
    };
    const place = { namespace: 'production', service: name, version, owner };
    const { pods } = runtime;
    const copied =
      pods.kind === 'deployment' && deployment !== undefined
        ? copiedTemplate(deployment, pods.images, version)
        : undefined;
    const template =
      pods.kind === 'template' ? writtenTemplate(pods.template, version) : (copied?.template ?? {});
    const own = withOwnCopies(template, place);
    const made = { ...own, port: runtime.port };
    const numbers = { ...runtime, isScaledByAnother: false };
    return {
      unknownContainers: copied?.unknown ?? [],
      copies: own.copies,
      objects: wantedObjects(place, made, numbers).map(({ object }) => object),
      primaryService: primaryService(place, { service: place.service, spec: runtime }, made.port).object,
    };
  },
});
