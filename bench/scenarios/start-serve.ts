import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { own } from '../compare/serve/checkout.ts'
import { startServer } from '../compare/serve/program.ts'
import type { ListeningProcess } from '../lib/child.ts'

/**
 * Starts `headwaters serve` of this checkout on core 1 with the definitions of a module, as users start it. The log
 * goes to `/dev/null`.
 *
 * @param prefix - A command that replaces itself by the command in its arguments. @default none
 */
export function startServe(
  name: string,
  definitions: URL,
  env: NodeJS.ProcessEnv,
  prefix: readonly string[] = [],
): Promise<ListeningProcess> {
  const command = [...prefix, process.execPath, join(own, 'src/cli.ts'), 'serve', fileURLToPath(definitions)]
  return startServer(name, () => command, env, '/dev/null')
}
