import { join } from 'node:path'
import type { Listening } from '../../../lib/child.ts'
import { startServer } from '../program.ts'
import type { Surroundings } from '../../targets.ts'

/** Starts a peer of this folder that runs on Node. */
export function startNode(file: string) {
  return (name: string, { origin, log }: Surroundings): Promise<Listening> =>
    startServer(name, () => [process.execPath, join(import.meta.dirname, `${file}.ts`)], { UPSTREAM: origin }, log)
}
