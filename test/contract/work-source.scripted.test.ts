import { serviceName, versionName } from '../../src/model/names.ts';
import { ScriptedWork } from '../support/scripted-work.ts';
import { workSourceContract } from './work-source.ts';

workSourceContract('the scripted work of the tests', async () => {
  const work = new ScriptedWork();
  return {
    source: work,
    request: {
      source: { kind: 'http', fencePath: '/drain', openWorkPath: '/work' },
      service: serviceName('manager'),
      version: versionName('v1'),
      instances: [],
      peers: [],
    },
    open: (ids) => work.say(ids),
    answering(does) {
      work.confirms = does;
      if (!does) work.open = { kind: 'unknown', reason: 'manager-1 did not answer' };
    },
    fenced: () => work.fenced,
    close: async () => undefined,
  };
});
