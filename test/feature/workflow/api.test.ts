// The customers' HTTP API of the example manager: what it takes, and what it says to what it does not take.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ExampleSite, type ManagerHere } from '../../support/workflow/example-site.ts';
import { Customer } from '../../support/workflow/manager-api.ts';

let site: ExampleSite;
let manager: ManagerHere;
beforeAll(async () => {
  site = await ExampleSite.open();
  manager = await site.manager();
});
afterAll(() => site.close());

const WAITS = 'pipeline: p\nsteps: [{ name: ask, approval: {} }]';

describe('a start', () => {
  test('with the same idempotency key is the same execution; another pipeline with it is refused', async () => {
    const customer = new Customer(manager.port);
    const key = { 'idempotency-key': 'order-7' };
    const first = await customer.ask('POST', '/executions', { pipeline: WAITS }, key);
    const again = await customer.ask('POST', '/executions', { pipeline: WAITS }, key);
    expect([first.status, again.status, again.body['id']]).toEqual([201, 200, first.body['id']]);
    const other = await customer.ask('POST', '/executions', { pipeline: WAITS.replace(': p', ': q') }, key);
    expect(other).toMatchObject({ status: 409, body: { code: 'KEY_USED' } });
    const foreign = await new Customer(manager.port, 'umbrella').ask(
      'POST',
      '/executions',
      { pipeline: WAITS },
      key,
    );
    expect(foreign.status).toBe(201);
  });

  test('is taken as YAML too', async () => {
    const customer = new Customer(manager.port);
    const yaml = { 'content-type': 'application/yaml' };
    expect(await customer.ask('POST', '/executions', WAITS, yaml)).toMatchObject({
      status: 201,
      body: { name: 'p' },
    });
  });

  test('that is a copy of a request begins nothing', async () => {
    const customer = new Customer(manager.port, 'mirrored');
    const copy = { 'x-switchyard-mirror': '1' };
    expect(await customer.ask('POST', '/executions', { pipeline: WAITS }, copy)).toMatchObject({
      status: 200,
      body: { copy: true },
    });
    expect((await customer.ask('GET', '/executions')).body).toEqual({ executions: [] });
  });

  test.each([
    ['no body', '', 'INVALID_ARGUMENT', /^name or pipeline: give one of them/],
    ['no JSON', '{', 'INVALID_ARGUMENT', /^the body is no JSON/],
    ['both', { name: 'a', pipeline: 'b' }, 'INVALID_ARGUMENT', /^name or pipeline/],
    ['an unknown name', { name: 'nothing' }, 'NO_PIPELINE', /there is no pipeline "nothing" here/],
    ['an unknown field', { pipeline: WAITS, speed: 9 }, 'INVALID_ARGUMENT', /^speed: is no field/],
    [
      'a priority that is too high',
      { pipeline: WAITS, priority: 10 },
      'INVALID_ARGUMENT',
      /^priority: .* 0 to 9, not 10/,
    ],
    [
      'a pipeline with a fault',
      { pipeline: 'pipeline: p\nsteps: []' },
      'INVALID_PIPELINE',
      /^the pipeline has faults/,
    ],
    [
      'an input that it does not have',
      { pipeline: WAITS, input: { x: 1 } },
      'INVALID_PIPELINE',
      /is no input of "p"/,
    ],
  ])('with %s is refused in words', async (_, body, code, message) => {
    const answer = await new Customer(manager.port).ask('POST', '/executions', body);
    expect(answer.body).toMatchObject({ code, message: expect.stringMatching(message) });
    expect([400, 404]).toContain(answer.status);
  });
});

test('a body that is too large is answered, not cut off', async () => {
  const pipeline = 'x'.repeat(2 * 1024 * 1024);
  expect(await new Customer(manager.port).ask('POST', '/executions', { pipeline })).toMatchObject({
    status: 413,
    body: { code: 'TOO_LARGE' },
  });
});

describe('a question', () => {
  test.each([
    ['GET', '/executions?limit=0', 400, /^limit: must be a whole number from 1 to 500/],
    ['GET', '/executions?state=Asleep', 400, /^state: must be one of Running/],
    ['GET', '/executions/none', 404, /there is no execution "none"/],
    ['POST', '/executions/none/cancel', 404, /there is no execution "none"/],
    ['POST', '/executions/none/explode', 404, /there is no POST/],
    ['GET', '/executions/none/tasks/none', 404, /there is no execution "none"/],
  ])('%s %s is answered with %d in words', async (method, path, status, message) => {
    const answer = await new Customer(manager.port).ask(method, path);
    expect(answer).toMatchObject({ status, body: { message: expect.stringMatching(message) } });
  });

  test('through a proxy must name the tenant', async () => {
    const headers = { 'x-forwarded-proto': 'http' };
    const response = await fetch(`http://127.0.0.1:${manager.port}/executions`, { headers });
    expect([response.status, await response.json()]).toMatchObject([400, { message: /x-tenant-id/ }]);
  });

  test('about many is answered page by page, the newest first', async () => {
    const customer = new Customer(manager.port, 'paged');
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.unshift(await customer.start(WAITS));
    const page = async (query: string) =>
      ((await customer.ask('GET', `/executions?limit=2${query}`)).body['executions'] as { id: string }[]).map(
        ({ id }) => id,
      );
    const first = await page('');
    const second = await page(`&before=${first.at(-1)}`);
    const third = await page(`&before=${second.at(-1)}`);
    expect([...first, ...second, ...third]).toEqual(ids);
  });
});

test('an order that the state does not allow is refused: only what failed can be retried', async () => {
  const customer = new Customer(manager.port);
  const id = await customer.start(WAITS);
  expect(await customer.ask('POST', `/executions/${id}/retry`, {})).toMatchObject({
    status: 409,
    body: { code: 'REFUSED', message: /only an execution that Failed can be retried/ },
  });
  await customer.ask('POST', `/executions/${id}/cancel`, {});
  await customer.ended(id);
  expect(await customer.ask('POST', `/executions/${id}/cancel`, {})).toMatchObject({ status: 409 });
});
