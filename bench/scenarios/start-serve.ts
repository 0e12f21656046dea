import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { own } from '../compare/serve/checkout.ts'
import { startServer } from '../compare/serve/program.ts'
import type { ListeningProcess } from '../lib/child.ts'

interface ServeOptions {
  /** A command that replaces itself by the command in its arguments. @default none */
  readonly prefix?: readonly string[]
  /** The path of the command. @default `src/cli.ts` of this checkout */
  readonly cli?: string
}

/**
 * Starts `headwaters serve` on core 1 with the definitions of a module, as users start it. The log goes to `/dev/null`.
 */
export function startServe(
  name: string,
  definitions: URL,
  env: NodeJS.ProcessEnv,
  { prefix = [], cli = join(own, 'src/cli.ts') }: ServeOptions = {},
): Promise<ListeningProcess> {
  const command = [...prefix, process.execPath, cli, 'serve', fileURLToPath(definitions)]
  return startServer(name, () => command, env, '/dev/null')
}
