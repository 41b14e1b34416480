/** The server itself over real sockets: who may connect, health, reflection, restarts, and how it stops. */
import { chmod, link, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client, credentials, status } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adminClient } from '../../../src/admin/client.ts';
import { AdminService } from '../../../src/admin/contract.ts';
import { isLoopback, type Listening, listenOnAddress, listenOnSocket } from '../../../src/admin/listen.ts';
import { ControllerState } from '../../../src/gen/switchyard/admin/v1/admin_service_pb.js';
import { PATIENCE, startTestController, type TestController } from '../../support/admin/controller.ts';

const refuse = () => undefined;
const same = (bytes: Buffer) => bytes;

describe('the Unix socket', () => {
  let folder: string;
  const open: Listening[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchyard-socket-'));
  });
  afterEach(async () => {
    for (const listening of open.splice(0)) await listening.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function listen(path: string): Promise<Listening> {
    const listening = await listenOnSocket(path, refuse);
    open.push(listening);
    return listening;
  }

  test('is open to its owner only, and so is the folder that is made for it', async () => {
    const path = join(folder, 'run', 'admin.sock');
    await listen(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  });

  test('leaves the mode of a folder that was there, and the mask of the process', async () => {
    const shared = join(folder, 'shared');
    await mkdir(shared);
    await chmod(shared, 0o755);
    const mask = process.umask();
    await listen(join(shared, 'admin.sock'));
    expect((await stat(shared)).mode & 0o777).toBe(0o755);
    expect(process.umask()).toBe(mask);
  });

  test('replaces a socket file that a killed controller left', async () => {
    const path = join(folder, 'admin.sock');
    // A server that forgets its file, as a killed process does: the handle is closed after the file was moved away.
    const killed = createServer();
    await new Promise<void>((resolve) => killed.listen(join(folder, 'old.sock'), resolve));
    await link(join(folder, 'old.sock'), path);
    await new Promise((resolve) => killed.close(resolve));
    expect((await stat(path)).isSocket()).toBe(true);
    expect((await listen(path)).address).toBe(`unix:${path}`);
  });

  test('is refused while another controller answers there', async () => {
    const path = join(folder, 'admin.sock');
    await listen(path);
    await expect(listenOnSocket(path, refuse)).rejects.toThrow(/another controller listens.*--admin-socket/);
  });

  test('never replaces a file that is no socket', async () => {
    const path = join(folder, 'notes.txt');
    await writeFile(path, 'keep me');
    await expect(listenOnSocket(path, refuse)).rejects.toThrow(/is not a socket/);
    expect((await stat(path)).size).toBe(7);
  });

  test('with a path too long for Linux is refused with the limit', async () => {
    await expect(listenOnSocket(`/tmp/${'x'.repeat(120)}`, refuse)).rejects.toThrow(/107.*--admin-socket/);
  });
});

describe('a TCP address', () => {
  test.each(['127.0.0.1:0', '[::1]:0', 'localhost:0'])('%s is loopback', (address) => {
    expect(isLoopback(address)).toBe(true);
  });

  test.each(['0.0.0.0:0', '[::]:0', '10.0.0.1:1', 'example.com:1'])('%s is not loopback', (address) => {
    expect(isLoopback(address)).toBe(false);
  });

  test.each(['127.0.0.1', ':80', '::1:80', 'host:70000', 'host:port'])(
    '%s is refused as no address',
    async (address) => {
      await expect(listenOnAddress(address, refuse)).rejects.toThrow(/write host:port/);
    },
  );

  test('that is taken is refused and names the flag', async () => {
    const first = await listenOnAddress('127.0.0.1:0', refuse);
    await expect(listenOnAddress(first.address, refuse)).rejects.toThrow(/is taken.*--admin-address/);
    await first.close();
  });
});

describe('the server', () => {
  let controller: TestController;
  beforeEach(async () => {
    controller = await startTestController({ address: '127.0.0.1:0' });
  });
  afterEach(() => controller.close());

  test('answers on its socket and on its address alike', async () => {
    const tcp = adminClient(controller.admin.addresses[1] ?? '');
    for (const client of [controller.client, tcp]) {
      const info = await client.call('getInfo', {});
      expect(info).toMatchObject({ version: '0.0.1-test', store: 'memory', state: ControllerState.READY });
    }
    tcp.close();
  });

  test('has no Unix socket and no TCP port where it could not have both', async () => {
    await expect(startTestController({ address: controller.admin.addresses[1] ?? '' })).rejects.toThrow(
      /is taken/,
    );
  });

  test('tells its health, which follows the controller', async () => {
    const client = new Client(controller.server, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = healthService[
      'Check'
    ] as (typeof healthService)[string];
    const check = (service: string) =>
      new Promise((resolve, reject) =>
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          { service },
          (error, response) => (error === null ? resolve(response) : reject(error)),
        ),
      );
    expect(await check(AdminService.typeName)).toMatchObject({ status: 'SERVING' });
    controller.admin.setServing(false);
    expect(await check('')).toMatchObject({ status: 'NOT_SERVING' });
    client.close();
  });

  test('describes itself by reflection, with every file that the service is made of', async () => {
    const client = new Client(controller.server, credentials.createInsecure());
    const stream = client.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      same,
      same,
    );
    const answers: string[] = [];
    stream.on('data', (answer: Buffer) => answers.push(answer.toString('latin1')));
    // ServerReflectionRequest: list_services is field 7, file_containing_symbol is field 4.
    stream.write(textField(7, '*'));
    stream.write(textField(4, AdminService.typeName));
    await expect.poll(() => answers, PATIENCE).toHaveLength(2);
    stream.end();
    client.close();
    expect(answers[0]).toContain(AdminService.typeName);
    for (const part of ['ErrorDetail', 'ResourceTypeProgress', 'google/protobuf/timestamp.proto']) {
      expect(answers[1]).toContain(part);
    }
  });

  test('ends its watches with UNAVAILABLE when it stops, so that clients come back', async () => {
    const views = controller.client.watch('watchServices', {}, new AbortController().signal);
    const watch = views[Symbol.asyncIterator]();
    await watch.next();
    const next = watch.next();
    const [outcome] = await Promise.allSettled([next, controller.admin.close()]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: status.UNAVAILABLE } });
  });

  test('answers only what it is before its state is loaded, and refuses the rest when it stops', async () => {
    await controller.close();
    controller = await startTestController({ start: 'never' });
    const waiting = controller.client.call('listServices', {});
    expect(await controller.client.call('getInfo', {})).toMatchObject({ version: '0.0.1-test' });
    const [outcome] = await Promise.allSettled([waiting, controller.admin.close()]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: status.UNAVAILABLE } });
  });

  test('answers down, and only then ends the controller', async () => {
    const { stopped } = await controller.client.call('down', { actor: 'ada' });
    expect(stopped).toEqual([]);
    await expect.poll(() => controller.downs, PATIENCE).toBe(1);
  });
});

/** A protobuf message with one short text field. */
function textField(number: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, text.length]), Buffer.from(text)]);
}
