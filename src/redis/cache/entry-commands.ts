import { randomUUID } from 'node:crypto'
import type { Commands } from '../commands/commands.ts'
import type { Keys } from '../commands/keys.ts'
import { StoreUnavailable } from '../commands/store-errors.ts'
import { lookUp, replaceGeneration, storeEntry } from './cache-scripts.ts'

/** The time of a generation without entries, in ms. An answer that takes longer is not stored. */
const newGenerationMs = 120_000

/** The time for which a generation outlives the entries of its URI, in ms. */
const extraMs = 3_600_000

/** The time of a generation after an invalidation, in ms: more than that of any entry. */
const invalidatedMs = 8 * 24 * 3_600_000

/** The longest time of an entry, in ms. */
const maxRetentionMs = 7 * 24 * 3_600_000

/** The time in which each process finds out that the epoch has changed, with the longest patience, in ms. */
const epochChangeMs = 40_000

/** The text of an entry and the generation of its URI. */
export interface StoredText {
  readonly text: string | null
  readonly generation: string | null
}

/**
 * The commands of the cache. Keys and URIs are stored names.
 *
 * A generation begins with the name of its URI, so that the generation of another URI is recognized. All functions
 * reject like those of `Commands`.
 */
export class EntryCommands {
  readonly #commands: Commands
  readonly #keys: Keys
  #lastEpoch: string | undefined
  /** The epoch before the last one. Other processes can use it until `#oldUntil`. */
  #oldEpoch: string | undefined
  #oldUntil = -Infinity

  constructor(commands: Commands, keys: Keys) {
    this.#commands = commands
    this.#keys = keys
  }

  /**
   * Reads an entry and the generation of its URI, both at the same moment. A generation that is absent or damaged is
   * created before the call whose answer has it. Without one, an answer could be stored after an invalidation that the
   * server has lost.
   *
   * @param mayCreate False if the server has no memory for a generation.
   */
  async read(key: string, uri: string, mayCreate: boolean): Promise<StoredText> {
    const epoch = this.#epoch()
    const keys = [this.#keys.entry(epoch, uri, key), this.#keys.generation(epoch, uri), this.#keys.uriProbe(epoch, uri)]
    const args = [markOf(uri), newGeneration(uri), mayCreate ? String(newGenerationMs) : '0']
    const reply = await this.#commands.script(lookUp, keys, args, {
      check: ([text, generation]) => isText(text) && isGenerationOf(uri, generation),
    })
    const [text, generation] = reply as [string | null, string | null]
    return { text, generation }
  }

  /** Stores an entry, unless the generation of its URI has changed. */
  async store(key: string, uri: string, text: string, generation: string, retentionMs: number): Promise<void> {
    const epoch = this.#epoch()
    const ms = Math.min(Math.ceil(retentionMs), maxRetentionMs)
    await this.#commands.script(
      storeEntry,
      [this.#keys.entry(epoch, uri, key), this.#keys.generation(epoch, uri)],
      [text, generation, String(ms), String(ms + extraMs)],
    )
  }

  async remove(key: string, uri: string): Promise<void> {
    const entry = this.#keys.entry(this.#epoch(), uri, key)
    await this.#commands.run('write', entry, ['DEL', entry], { check: reply => typeof reply === 'number' })
  }

  /** Ends all entries of a URI. A second execution is harmless. */
  async invalidate(uri: string): Promise<void> {
    const epochs = [this.#epoch()]
    if (this.#oldEpoch !== undefined && performance.now() < this.#oldUntil) epochs.push(this.#oldEpoch)
    await Promise.all(
      epochs.map(epoch =>
        this.#commands.script(replaceGeneration, ...this.#invalidation(epoch, uri), { isInvalidation: true }),
      ),
    )
  }

  /** Sends an invalidation and does not wait for it, also if the store is unreachable for this process alone. */
  postInvalidation(uri: string): void {
    if (this.#lastEpoch !== undefined)
      this.#commands.post(replaceGeneration, ...this.#invalidation(this.#lastEpoch, uri))
  }

  #invalidation(epoch: string, uri: string): [keys: string[], args: string[]] {
    const args = [newGeneration(uri), String(invalidatedMs), this.#keys.invalidations, uri]
    return [[this.#keys.generation(epoch, uri)], args]
  }

  #epoch(): string {
    const { epoch } = this.#commands
    if (epoch === undefined) throw new StoreUnavailable()
    if (epoch !== this.#lastEpoch) {
      this.#oldEpoch = this.#lastEpoch
      this.#oldUntil = performance.now() + epochChangeMs
      this.#lastEpoch = epoch
    }
    return epoch
  }
}

function isText(value: unknown): boolean {
  return value === null || typeof value === 'string'
}

function isGenerationOf(uri: string, generation: unknown): boolean {
  return generation === null || (typeof generation === 'string' && generation.startsWith(markOf(uri)))
}

function newGeneration(uri: string): string {
  return markOf(uri) + randomUUID()
}

/** The characters of a URI with which its generations begin. */
const markLength = 16

function markOf(uri: string): string {
  return `${uri.slice(0, markLength)}.`
}
