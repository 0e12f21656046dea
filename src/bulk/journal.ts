import { randomBytes } from 'node:crypto'
import { hasEnded, type BulkRun, type Manifest, type RunEnd } from './bulk-run.ts'
import { chunkItems, isRunId, namesOf, numbered } from './names.ts'
import type { BulkStore } from './object-store.ts'

/** The time after which an upload without a run was given up, in ms. A request cannot take longer. */
const abandonedMs = 2 * 3_600_000

/** Returns the number of chunks of a run. */
export function chunksOf({ items }: Pick<Manifest, 'items'>): number {
  return Math.ceil(items / chunkItems)
}

/** The runs of a store. Each change creates an object, so two processes that make the same change agree on one. */
export class Journal {
  readonly store: BulkStore
  readonly #now: () => number

  /** @param now The time in ms since the epoch. @default that of the system */
  constructor(store: BulkStore, now: () => number = Date.now) {
    this.store = store
    this.#now = now
  }

  /** Returns the name of a new upload. It begins with its time, so that an upload without a run can be removed. */
  newUpload(): string {
    return `${this.#now()}-${randomBytes(8).toString('hex')}`
  }

  /** Creates a run. Returns the run with this id if there is one, which can have other inputs. */
  async create(described: Omit<Manifest, 'createdAt'>): Promise<BulkRun> {
    const manifest: Manifest = { ...described, createdAt: this.#now() }
    const { owner, id } = manifest
    const isNew = await this.store.create(namesOf(owner, id).manifest, encode(manifest))
    return isNew ? { ...manifest, state: 'running', endedAt: undefined } : ((await this.find(owner, id)) as BulkRun)
  }

  /** Returns a run; undefined if this owner has no run with this id. */
  async find(owner: string, id: string): Promise<BulkRun | undefined> {
    if (!isRunId(id)) return undefined
    const names = namesOf(owner, id)
    const bytes = await this.store.read(names.manifest)
    if (bytes === undefined) return undefined
    const end = await this.store.read(names.ended)
    const state = async () => ((await this.#pauseCount(names.pauses)) % 2 === 0 ? 'running' : 'paused')
    const ended = end === undefined ? { state: await state() } : endOf(decode(end))
    return { ...decode<Manifest>(bytes), endedAt: undefined, ...ended } as BulkRun
  }

  /** Returns the runs of an owner, the newest first. */
  async runsOf(owner: string): Promise<BulkRun[]> {
    const ids = await this.store.list(`runs/${owner}`)
    const runs = await Promise.all(ids.map(id => this.find(owner, id)))
    return runs.filter(run => run !== undefined).sort((one, other) => other.createdAt - one.createdAt)
  }

  /** Returns the owner and the id of each run. */
  async all(): Promise<readonly Pick<Manifest, 'owner' | 'id'>[]> {
    const owners = await this.store.list('runs')
    const ids = await Promise.all(owners.map(owner => this.store.list(`runs/${owner}`)))
    return owners.flatMap((owner, index) => (ids[index] as readonly string[]).map(id => ({ owner, id })))
  }

  /** Pauses or resumes a run. Returns the run after it; its state is another one only if it has ended. */
  async setPaused({ owner, id }: Manifest, isPaused: boolean): Promise<BulkRun | undefined> {
    const { pauses } = namesOf(owner, id)
    // The number of these objects is odd while the run is paused, so each of them is a pause or the end of one.
    for (;;) {
      const run = await this.find(owner, id)
      if (run === undefined || hasEnded(run) || (run.state === 'paused') === isPaused) return run
      await this.store.create(`${pauses}/${numbered((await this.#pauseCount(pauses)) + 1)}`, Buffer.alloc(0))
    }
  }

  async #pauseCount(pauses: string): Promise<number> {
    return Number((await this.store.list(pauses)).at(-1) ?? 0)
  }

  /** Ends a run. Returns true if this call has ended it. */
  async end({ owner, id }: Manifest, state: RunEnd['state']): Promise<boolean> {
    // A process that was killed between the results of a chunk and the end of its claim leaves the claim.
    if (state === 'completed') await this.store.remove(`claims/${id}`)
    return this.store.create(namesOf(owner, id).ended, encode({ state, at: this.#now() } satisfies RunEnd))
  }

  /** Returns the lines of a chunk of inputs; undefined if the run was removed. */
  async inputs({ upload }: Manifest, chunk: number): Promise<Buffer[] | undefined> {
    const bytes = await this.store.read(`uploads/${upload}/${numbered(chunk)}`)
    return bytes && linesOf(bytes)
  }

  /** Removes a run. Its manifest is removed first, and its inputs last. */
  async remove({ owner, id, upload }: Manifest): Promise<void> {
    await this.store.remove(namesOf(owner, id).folder)
    await this.store.remove(`claims/${id}`)
    await this.store.remove(`uploads/${upload}`)
  }

  /**
   * Removes the runs whose retention has passed, and the uploads that became no run.
   *
   * @returns The ids of the removed runs.
   */
  async sweep(): Promise<readonly string[]> {
    const now = this.#now()
    const removed: string[] = []
    const isAbandoned = (upload: string) => now - Number.parseInt(upload, 10) > abandonedMs
    const abandoned = new Set((await this.store.list('uploads')).filter(isAbandoned))
    for (const { owner, id } of await this.all()) {
      const run = await this.find(owner, id)
      if (run === undefined) continue
      abandoned.delete(run.upload)
      if (run.endedAt === undefined || now - run.endedAt < run.retention) continue
      await this.remove(run)
      removed.push(id)
    }
    for (const upload of abandoned) await this.store.remove(`uploads/${upload}`)
    return removed
  }
}

function endOf({ state, at }: RunEnd): Pick<BulkRun, 'state' | 'endedAt'> {
  return { state, endedAt: at }
}

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}

function decode<T>(bytes: Buffer): T {
  return JSON.parse(bytes.toString()) as T
}

const newLine = 10

/** Returns the lines of a text that ends with a new line, without their ends. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(newLine, start)
    lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  return lines
}
