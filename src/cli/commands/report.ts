/** `report`: what a rollout did to every request, as text, as JSON or as one HTML page. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { soon, withClient } from '../connection.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { isForMachines, printData } from '../output.ts';
import { reportPage } from '../report/html.ts';
import { parseReport, ReportFormatError } from '../report/parse.ts';
import { reportLines } from '../report/text.ts';
import { type Context, note, print } from '../shell.ts';

export interface ReportFlags {
  /** Where the page is written; `-`: standard output. */
  readonly html?: string;
}

const WIDTH_WITHOUT_TERMINAL = 80;

/** `subject`: the id of a rollout (it has an underscore, which no name has), or a service whose last one is meant. */
export async function report(context: Context, subject: string, flags: ReportFlags): Promise<ExitCode> {
  const { json } = await withClient(context, 'read', (client) =>
    client.call(
      'getReport',
      {
        subject: subject.includes('_')
          ? { case: 'rollout', value: subject }
          : { case: 'service', value: subject },
      },
      soon(),
    ),
  );
  const shown = read(json);
  if (flags.html === '-') {
    print(context, reportPage(shown));
    return EXIT.ok;
  }
  if (flags.html !== undefined) await write(context, flags.html, reportPage(shown));
  if (isForMachines(context)) await printData(context, shown);
  else if (flags.html === undefined) {
    const { stdout } = context.shell;
    print(context, reportLines(shown, stdout.isTTY ? stdout.columns : WIDTH_WITHOUT_TERMINAL).join('\n'));
  }
  return EXIT.ok;
}

function read(json: string) {
  try {
    return parseReport(json);
  } catch (error) {
    if (!(error instanceof ReportFormatError)) throw error;
    throw new CliError(EXIT.failed, `the controller's report cannot be read: ${error.message}`, [
      'the controller may be of another release: `switchyard version` shows both',
    ]);
  }
}

async function write(context: Context, file: string, page: string): Promise<void> {
  const path = resolve(file);
  try {
    await writeFile(path, page);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.failed, `--html: ${path} cannot be written (${why})`);
  }
  note(context, `wrote ${path}`);
}
