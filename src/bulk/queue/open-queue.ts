import type { Redis } from 'ioredis'
import type { Job, Queue, Worker } from 'bullmq'
import type { loadQueuePackages } from './load-packages.ts'

/** The chunk of a job. */
export interface ChunkData {
  readonly owner: string
  /** The id of the run. */
  readonly run: string
  /** The upload of the run. */
  readonly upload: string
  readonly chunk: number
}

export type ChunkJob = Job<ChunkData>

/** A queue of BullMQ, and a worker without a function that fetches its jobs. */
export interface OpenQueue {
  readonly queue: Queue<ChunkData>
  readonly worker: Worker<ChunkData>
  close(): Promise<void>
}

/** The prefix of all keys. */
const prefix = 'headwaters'

/** The time after which a job whose process does not renew its lock is lost, in ms. */
export const lockMs = 10_000

/** The time between two looks for jobs without a lock, in ms. */
const stalledMs = 5000

/** The number of events that BullMQ keeps for its own observers. */
const maxEvents = 100

/** Opens a queue by a client that is ready. Does not close the client. */
export async function openQueue(
  { Queue, Worker, createRedisBackend }: Awaited<ReturnType<typeof loadQueuePackages>>,
  client: Redis,
  name: string,
): Promise<OpenQueue> {
  const shared = { connection: client, prefix } as const
  const queue: OpenQueue['queue'] = new Queue(name, {
    ...shared,
    // A finished job is removed, so that its chunk can be added again.
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    streams: { events: { maxLen: maxEvents } },
  })
  const worker: OpenQueue['worker'] = new Worker(
    name,
    null,
    {
      ...shared,
      autorun: false,
      lockDuration: lockMs,
      stalledInterval: stalledMs,
      // A chunk is never given up.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    },
    // Jobs are fetched without waiting, so the worker needs no connection of its own for that.
    (of, options) => createRedisBackend(of, options),
  )
  const close = async () => {
    await Promise.allSettled([worker.close(true), queue.close()])
  }
  // The commands report their errors. Without a listener, the event would end the process.
  queue.on('error', () => {})
  worker.on('error', () => {})
  try {
    await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()])
    await worker.startStalledCheckTimer()
    return { queue, worker, close }
  } catch (error) {
    await close()
    throw error
  }
}
