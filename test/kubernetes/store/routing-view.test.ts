// What a follower of a real API server shows of what a leader records there.
import { expect, test, vi } from 'vitest';
import { CONTROLLER_STATE, SERVICE_ROUTING } from '../../../src/adapters/kubernetes/custom-resources.ts';
import type { RoutingObject } from '../../../src/adapters/kubernetes/store/routing-object.ts';
import type { StateObject } from '../../../src/adapters/kubernetes/store/state-object.ts';
import { serviceName } from '../../../src/model/names.ts';
import { followedView } from '../../support/kubernetes/routing-views.ts';
import { stateNamespace } from '../../support/kubernetes/state-namespace.ts';
import { openedStore } from '../../support/kubernetes/stores.ts';
import { serviceRecord } from '../../support/stored-records.ts';

const { signal } = new AbortController();
const record = (name: string, generation = 1) => serviceRecord({ name, generation });
const soon = { timeout: 20_000 };

test('nothing recorded is a complete view of nothing, which says that nothing was ever written', async () => {
  const { view } = followedView(await stateNamespace());
  expect(view.isSynced).toBe(false);
  expect(view.trouble).toMatch(/not read yet/);
  await view.start();
  expect(view).toMatchObject({ isSynced: true, everWritten: false, publication: 0, term: -1, trouble: '' });
  expect(view.services()).toEqual([]);
});

test('it follows records, publications and terms; a change of several services comes in one piece', async () => {
  const place = await stateNamespace();
  const { view, shown } = followedView(place);
  await view.start();
  const { store } = await openedStore(place.objects, { term: 3 });
  const both = (generation: number) => [record('alpha', generation), record('beta', generation)];
  await store.commit({ services: both(1), nextPublication: 100, publication: 41 });
  for (const generation of [2, 3, 4])
    await store.commit({ services: both(generation), publication: 41 + generation });
  await store.commit({ services: [record('alpha', 5)], publication: 46 });
  await vi.waitFor(() => expect(shown.at(-1)).toEqual(['alpha 5', 'beta 4']), soon);
  expect(view).toMatchObject({ isSynced: true, everWritten: true, publication: 46, term: 3, trouble: '' });
  expect(view.services()).toEqual([
    { record: record('alpha', 5), publication: 46 },
    { record: record('beta', 4), publication: 45 },
  ]);
  for (const services of shown.slice(0, -1)) {
    const [alpha, beta] = services.map((text) => text.split(' ')[1]);
    expect(alpha).toBe(beta);
  }
  await store.commit({ deletions: [{ name: serviceName('beta'), generation: 4 }] });
  await vi.waitFor(() => expect(shown.at(-1)).toEqual(['alpha 5']), soon);
});

test('an object that is deleted by hand stays shown; one that was damaged stays as it was, and is named', async () => {
  const place = await stateNamespace();
  const { objects } = place;
  const { store } = await openedStore(objects);
  await store.commit({ services: [record('alpha'), record('beta')] });
  const { view, shown } = followedView(place);
  await view.start();
  await vi.waitFor(() => expect(shown.at(-1)).toEqual(['alpha 1', 'beta 1']), soon);
  const alpha = await objects.get<RoutingObject>(SERVICE_ROUTING, 'alpha', signal);
  await objects.delete(SERVICE_ROUTING, { name: 'alpha', uid: alpha.metadata.uid ?? '' }, signal);
  const beta = await objects.get<RoutingObject>(SERVICE_ROUTING, 'beta', signal);
  const damaged = { ...beta.spec.record, versions: 'none' as never };
  await objects.replace(SERVICE_ROUTING, { ...beta, spec: { ...beta.spec, record: damaged } }, { signal });
  await vi.waitFor(
    () => expect(view.trouble).toMatch(/ServiceRouting beta is damaged .*versions is "none"/),
    soon,
  );
  expect(view.isSynced).toBe(true);
  expect(shown.at(-1)).toEqual(['alpha 1', 'beta 1']);

  // One that begins now knows neither of them: it must not serve.
  const late = followedView(place).view;
  await late.start();
  expect(late.isSynced).toBe(false);
  expect(late.trouble).toMatch(/alpha is not there yet/);
});

test('records without counters are not shown before a leader has counted them', async () => {
  const place = await stateNamespace();
  const { objects } = place;
  const first = await openedStore(objects);
  await first.store.commit({ services: [record('alpha')] });
  const { uid = '' } = (await objects.get<StateObject>(CONTROLLER_STATE, 'counters', signal)).metadata;
  await objects.delete(CONTROLLER_STATE, { name: 'counters', uid }, signal);
  const { view, shown } = followedView(place);
  await view.start();
  expect(view.isSynced).toBe(false);
  expect(view.trouble).toMatch(/ControllerState counters is not there/);
  await openedStore(objects, { term: 1 });
  await vi.waitFor(() => expect(shown.at(-1)).toEqual(['alpha 1']), soon);
  expect(view).toMatchObject({ isSynced: true, everWritten: true, term: 1 });
});
