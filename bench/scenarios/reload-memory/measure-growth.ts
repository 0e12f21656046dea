import { freePort } from '../../compare/serve/port.ts'
import { poll } from '../reloads/poll.ts'
import { startServe } from '../start-serve.ts'
import { writeDefinitions, type ChangedFile } from './definitions.ts'
import { inspectHeap } from './inspected-heap.ts'

export interface GrowthOptions {
  /** The number of files of the definitions. */
  readonly files: number
  readonly reloads: number
}

/** The memory that reloads of one kind keep. */
export interface Growth {
  readonly change: ChangedFile
  /** The number of files that each reload evaluates. */
  readonly evaluated: number
  readonly reloads: number
  /** The used heap before the first and after the last of the reloads, in bytes. */
  readonly before: number
  readonly after: number
}

/** Reloads before the first measurement. Code is compiled and inline caches are filled in them. */
const warmUpReloads = 20

/** Reloads the definitions of one process of the service, which changes in one file each time. */
export async function measureGrowth(change: ChangedFile, { files, reloads }: GrowthOptions): Promise<Growth> {
  const definitions = writeDefinitions(files)
  const inspector = await freePort()
  const service = await startServe('service', definitions.url, {
    HEADWATERS_ENV: 'development',
    NODE_OPTIONS: `--inspect=127.0.0.1:${inspector}`,
  })
  const heap = await inspectHeap(inspector)
  let version = 0

  async function reload(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      definitions.change(change, ++version)
      process.kill(service.pid, 'SIGHUP')
      await poll(`reload ${version}`, async () => {
        const metrics = await (await fetch(`http://127.0.0.1:${service.port}/metrics`)).text()
        return metrics.includes(`headwaters_reloads_total{result="ok"} ${version}\n`)
      })
    }
  }

  try {
    await reload(warmUpReloads)
    const before = await heap.used()
    await reload(reloads)
    return { change, evaluated: change === 'aggregate' ? 1 : files / 2 + 1, reloads, before, after: await heap.used() }
  } finally {
    heap.close()
    await service.stop()
    definitions.remove()
  }
}
