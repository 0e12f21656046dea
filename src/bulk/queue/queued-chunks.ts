import { randomUUID } from 'node:crypto'
import { ignoreRejection } from '../../core/promises.ts'
import type { AssignedChunk, ChunkEnd, ChunkSource } from '../chunk-source.ts'
import { isRunId, resultName } from '../names.ts'
import { isObjectName, type BulkStore } from '../object-store.ts'
import type { RunWork } from '../run-work.ts'
import { lockMs, type ChunkData, type ChunkJob } from './open-queue.ts'
import { QueueUnavailable, type QueueConnection } from './queue-connection.ts'

/** The number of jobs of one run that wait. With few of them, the runs take turns, and Redis stays small. */
const waitingJobs = 2

/**
 * Distributes chunks by a queue, so that processes of several machines share runs. The store has the truth. The queue
 * only has the chunks that are due next, so a queue that is lost is filled again.
 */
export class QueuedChunks implements ChunkSource {
  readonly #store: BulkStore
  readonly #connection: QueueConnection
  /** The connection over which the chunks of a run were added last. */
  readonly #addedOver = new WeakMap<RunWork, number>()

  constructor(store: BulkStore, connection: QueueConnection) {
    this.#store = store
    this.#connection = connection
  }

  open(): void {
    this.#connection.open()
  }

  /** Adds chunks of a run if few of them wait, and takes the oldest job of the queue. */
  async next(work: RunWork): Promise<AssignedChunk | undefined> {
    try {
      await this.#topUp(work)
      const chunk = await this.#take()
      this.#connection.reportUse()
      return chunk
    } catch (error) {
      if (error instanceof QueueUnavailable) return undefined
      throw error
    }
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #topUp(work: RunWork): Promise<void> {
    const { owner, id: run, upload } = work.run
    const [waiting, active] = await this.#connection.use(({ queue }) =>
      Promise.all([queue.getRanges(['wait'], 0, -1), queue.getRanges(['active'], 0, -1)]),
    )
    const { connections } = this.#connection
    // The server behind a new connection may have lost the chunks that were added before.
    if (this.#addedOver.get(work) !== connections) work.rewind()
    this.#addedOver.set(work, connections)
    const known = new Set([...waiting, ...active])
    const added: ChunkData[] = []
    let missing = waitingJobs - waiting.filter(id => id.startsWith(`${run}-`)).length
    while (missing > 0) {
      const chunk = await work.next()
      if (chunk === undefined) break
      if (known.has(`${run}-${chunk}`) || (await work.isStored(chunk))) continue
      added.push({ owner, run, upload, chunk })
      missing--
    }
    for (const data of added) await this.#add(data)
  }

  /** Adds a job. Has no effect if the queue has a job of the chunk. */
  async #add(data: ChunkData): Promise<void> {
    await this.#connection.use(({ queue }) => queue.add('chunk', data, { jobId: `${data.run}-${data.chunk}` }))
  }

  /** Takes the oldest job whose chunk has no results. */
  async #take(): Promise<AssignedChunk | undefined> {
    for (;;) {
      const token = randomUUID()
      const job = await this.#connection.use(({ worker }) => worker.getNextJob(token, { block: false }))
      if (job === undefined) return undefined
      const taken = new TakenJob(job, token, this.#connection)
      const isDue = await this.#isDue(job.data).catch(async (error: unknown) => {
        await taken.end('interrupted')
        throw error
      })
      if (isDue) return this.#assigned(job.data, taken)
      await taken.end('stored')
    }
  }

  async #isDue(data: ChunkData | null): Promise<boolean> {
    if (data === null) return false
    const { owner, run, upload, chunk } = data
    if (!isRunId(run) || !Number.isSafeInteger(chunk) || chunk < 1) return false
    const name = resultName({ owner, id: run, upload }, chunk)
    return isObjectName(name) && !(await this.#store.has(name))
  }

  #assigned(data: ChunkData, taken: TakenJob): AssignedChunk {
    const { owner, run, upload, chunk: number } = data
    const end = async (how: ChunkEnd) => {
      await taken.end(how)
      // The end of the queue is the last place, so that this process can take other jobs first.
      if (how === 'refused') await this.#add(data).catch(() => {})
    }
    return { owner, run, upload, number, end }
  }
}

/** A job that this process has taken. It renews the lock until the end. */
class TakenJob {
  readonly #job: ChunkJob
  readonly #token: string
  readonly #renewal: NodeJS.Timeout

  constructor(job: ChunkJob, token: string, connection: QueueConnection) {
    this.#job = job
    this.#token = token
    const renew = () => ignoreRejection(connection.use(() => job.extendLock(token, lockMs)))
    this.#renewal = setInterval(renew, lockMs / 4)
  }

  /**
   * Ends the job. A failure has no effect: the lock ends by itself, and the next process that takes the job finds the
   * results or runs the chunk.
   */
  async end(how: ChunkEnd): Promise<void> {
    clearInterval(this.#renewal)
    const ended =
      how === 'interrupted' ? this.#job.moveToWait(this.#token) : this.#job.moveToCompleted(null, this.#token, false)
    await ended.catch(() => {})
  }
}
