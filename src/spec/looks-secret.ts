/** Environment variables that hold what nobody else should read. */

const SECRET = /PASSWORD|PASSWD|TOKEN|SECRET|KEY/i;
/** The variable names a file that holds it. */
const NAMES_A_FILE = /_(?:FILE|PATH|DIR)$/i;

export function looksSecret(name: string, value: string): boolean {
  return value !== '' && SECRET.test(name) && !NAMES_A_FILE.test(name);
}
