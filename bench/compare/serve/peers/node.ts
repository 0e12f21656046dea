import { join } from 'node:path'
import type { ListeningProcess } from '../../../lib/child.ts'
import { startServer } from '../program.ts'
import type { TargetEnvironment } from '../../targets.ts'

/** Starts a peer of this folder that runs on Node. */
export function startNode(file: string) {
  return (name: string, { origin, log }: TargetEnvironment): Promise<ListeningProcess> =>
    startServer(name, () => [process.execPath, join(import.meta.dirname, `${file}.ts`)], { UPSTREAM: origin }, log)
}
