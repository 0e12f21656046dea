import cluster, { type Worker } from 'node:cluster'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { AppOptions } from '../../app.ts'
import type { OpenCatalogue } from '../../definitions/catalogue.ts'
import { checkWorkers, dividedInbound, dividedThreads } from './plan-workers.ts'
import { openChannel } from './channel.ts'
import type { Leave, Task } from './messages.ts'
import { lingerMs, retire } from './retire.ts'

/** The process around a worker. */
export interface WorkerHost {
  readonly open: () => Promise<OpenCatalogue>
  readonly ready: (catalogue: OpenCatalogue, options: AppOptions) => Promise<FastifyInstance>
  /** Returns how many lines of the log this process has lost. */
  readonly lostLogLines: () => number
  readonly exit: (code: number) => void
}

/** Longer than an app takes to close when its time for draining is over, in ms. */
const lastResort = 2000

/** Serves with one part of the bounds until the primary says otherwise, or is gone. */
export async function runWorker(task: Task, { open, ready, exit, lostLogLines }: WorkerHost): Promise<void> {
  const wanted = Promise.withResolvers<Leave>()
  const hurry = new AbortController()
  const leave = (how: Leave) => {
    if (how === 'drain') hurry.abort()
    wanted.resolve(how)
  }
  const channel = openChannel(cluster.worker as Worker, { ...task, leave, ownLostLogLines: lostLogLines })
  try {
    const catalogue = await open()
    const { inbound, threads, drainMs } = catalogue.config
    checkWorkers(catalogue, task.count)
    const app = await ready(catalogue, {
      partition: task,
      countRequest: channel.count,
      lostLogLines: channel.lostLogLines,
      threads: dividedThreads(threads, task),
      ...dividedInbound(inbound, task),
    })
    await app.listen({ host: task.host, port: task.port })
    channel.listening((app.server.address() as AddressInfo).port, drainMs)

    const how = await wanted.promise
    app.log.info({ how }, 'draining')
    setTimeout(() => exit(1), drainMs + lingerMs + lastResort).unref()
    if (how === 'retire') await retire(app.server, hurry.signal)
    await app.close()
    await catalogue.close()
    exit(0)
  } catch (error) {
    // The primary tells whoever started it, and ends this process.
    channel.failed(error)
  }
}
