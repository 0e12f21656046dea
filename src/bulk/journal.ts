import { randomBytes } from 'node:crypto'
import pLimit from 'p-limit'
import { hasEnded, type BulkRun, type Manifest, type RunEnd } from './bulk-run.ts'
import { chunkItems, folderOf, isRunId, manifestOf, namesOf, numbered } from './names.ts'
import type { BulkStore } from './object-store.ts'

/** The time after which an upload without a run was given up, in ms. A request cannot take longer. */
const abandonedMs = 2 * 3_600_000

/** The number of runs that are read at the same time. Each read of a folder needs a file descriptor. */
const readsAtOnce = 16

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

  /**
   * Creates a run. Returns the run with this id if there is one, which can have other inputs.
   *
   * If this rejects, the run can exist nevertheless, so its upload must stay. The sweep removes uploads without a run.
   */
  async create(described: Omit<Manifest, 'createdAt'>): Promise<BulkRun> {
    const manifest: Manifest = { ...described, createdAt: this.#now() }
    for (;;) {
      if (await this.#createManifest(manifest)) return { ...manifest, state: 'running', endedAt: undefined }
      const earlier = await this.find(manifest.owner, manifest.id)
      // Without it, the earlier run was removed since.
      if (earlier !== undefined) return earlier
    }
  }

  /** Creates the manifest of a run. A store can create it and fail nevertheless, for example if its reply is lost. */
  async #createManifest(manifest: Manifest): Promise<boolean> {
    const { owner, id, upload } = manifest
    try {
      return await this.store.create(manifestOf(owner, id), encode(manifest))
    } catch (error) {
      if ((await this.find(owner, id))?.upload === upload) return true
      throw error
    }
  }

  /** Returns a run; undefined if this owner has no run with this id. */
  async find(owner: string, id: string): Promise<BulkRun | undefined> {
    if (!isRunId(id)) return undefined
    const bytes = await this.store.read(manifestOf(owner, id))
    if (bytes === undefined) return undefined
    const manifest = decode<Manifest>(bytes)
    const names = namesOf(manifest)
    const end = await this.store.read(names.ended)
    const state = async () => ((await this.#pauseCount(names.pauses)) % 2 === 0 ? 'running' : 'paused')
    const ended = end === undefined ? { state: await state() } : endOf(decode(end))
    return { ...manifest, endedAt: undefined, ...ended } as BulkRun
  }

  /** Returns the runs of an owner, the newest first. */
  async runsOf(owner: string): Promise<BulkRun[]> {
    const ids = await this.store.list(`runs/${owner}`)
    const runs = await pLimit(readsAtOnce).map(ids, id => this.find(owner, id))
    return runs.filter(run => run !== undefined).sort((one, other) => other.createdAt - one.createdAt)
  }

  /** Returns the owner and the id of each run. */
  async all(): Promise<readonly Pick<Manifest, 'owner' | 'id'>[]> {
    const owners = await this.store.list('runs')
    const ids = await pLimit(readsAtOnce).map(owners, owner => this.store.list(`runs/${owner}`))
    return owners.flatMap((owner, index) => (ids[index] as readonly string[]).map(id => ({ owner, id })))
  }

  /** Pauses or resumes a run. Returns the run after it; its state is another one only if it has ended. */
  async setPaused(manifest: Manifest, isPaused: boolean): Promise<BulkRun | undefined> {
    const { owner, id, upload } = manifest
    const { pauses } = namesOf(manifest)
    // The number of these objects is odd while the run is paused, so each of them is a pause or the end of one.
    for (;;) {
      const run = await this.find(owner, id)
      if (run?.upload !== upload) return undefined
      if (hasEnded(run) || (run.state === 'paused') === isPaused) return run
      await this.store.create(`${pauses}/${numbered((await this.#pauseCount(pauses)) + 1)}`, Buffer.alloc(0))
    }
  }

  async #pauseCount(pauses: string): Promise<number> {
    return Number((await this.store.list(pauses)).at(-1) ?? 0)
  }

  /** Ends a run. Returns true if this call has ended it. */
  async end(manifest: Manifest, state: RunEnd['state']): Promise<boolean> {
    // A process that was killed between the results of a chunk and the end of its claim leaves the claim.
    if (state === 'completed') await this.store.remove(`claims/${manifest.upload}`)
    return this.store.create(namesOf(manifest).ended, encode({ state, at: this.#now() } satisfies RunEnd))
  }

  /** Returns the lines of a chunk of inputs; undefined if the run was removed. */
  async inputs({ upload }: Manifest, chunk: number): Promise<Buffer[] | undefined> {
    const bytes = await this.store.read(`uploads/${upload}/${numbered(chunk)}`)
    return bytes && linesOf(bytes)
  }

  /** Removes a run. Its manifest is removed first, and its inputs last. */
  async remove({ owner, id, upload }: Manifest): Promise<void> {
    await this.store.remove(folderOf(owner, id))
    await this.store.remove(`claims/${upload}`)
    await this.store.remove(`uploads/${upload}`)
  }

  /**
   * Removes the runs whose retention has passed, uploads without a run, and results that came after a removal.
   *
   * @returns The ids of the removed runs.
   * @throws The first failure, after an attempt at each run. Uploads stay then, because a run may have them.
   */
  async sweep(): Promise<readonly string[]> {
    const now = this.#now()
    const removed: string[] = []
    const isAbandoned = (upload: string) => now - Number.parseInt(upload, 10) > abandonedMs
    const abandoned = new Set((await this.store.list('uploads')).filter(isAbandoned))
    const failures: unknown[] = []
    const sweepRun = async (owner: string, id: string) => {
      const run = await this.find(owner, id)
      if (run === undefined) return this.#removeLate(owner, id)
      abandoned.delete(run.upload)
      if (run.endedAt === undefined || now - run.endedAt < run.retention) return
      await this.remove(run)
      removed.push(id)
    }
    for (const { owner, id } of await this.all())
      await sweepRun(owner, id).catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
    for (const upload of abandoned) await this.store.remove(`uploads/${upload}`)
    return removed
  }

  /** Removes what a process has added to a run after its removal. A run that is created meanwhile has another upload. */
  async #removeLate(owner: string, id: string): Promise<void> {
    const folder = folderOf(owner, id)
    for (const name of await this.store.list(folder))
      if (`${folder}/${name}` !== manifestOf(owner, id)) await this.store.remove(`${folder}/${name}`)
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
