import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { listens, spawnOn } from '../../lib/child.ts'
import type { ListeningProcess } from '../../lib/child.ts'
import { accepts, freePort } from './port.ts'

/** Command prefix that ends a program when this process ends. Empty if the system does not have this command. */
const tied = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0

/**
 * Starts a program on core 1 and appends its log to a file. Resolves when the program listens on the port in `PORT`.
 */
export async function startServer(
  name: string,
  command: (port: number) => readonly string[],
  env: NodeJS.ProcessEnv,
  log: string,
): Promise<ListeningProcess> {
  const port = await freePort()
  const giveUp = new AbortController()
  const sink = openSync(log, 'a')
  try {
    const argv = [...(tied ? ['setpriv', '--pdeathsig', 'KILL'] : []), ...command(port)]
    const { child, ended } = spawnOn(1, name, argv, ['ignore', sink, 'pipe'], {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: String(port),
      ...env,
    })
    return await listens(
      name,
      child,
      ended,
      accepts(port, giveUp.signal).then(() => ({ port })),
    )
  } finally {
    giveUp.abort()
    closeSync(sink)
  }
}
