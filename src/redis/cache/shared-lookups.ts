/** A lookup that was sent and has not ended. */
interface SentLookup<T> {
  readonly ended: Promise<void>
  /** The lookup that is sent when this one has ended. */
  next: Promise<T> | undefined
}

/**
 * Lets equal lookups share one request, because many equal calls would wait for as many replies.
 *
 * One lookup of a key is in flight at a time. Lookups that arrive meanwhile share the next one. It is sent after they
 * have arrived, so its result is never older than they are.
 */
export class SharedLookups<T> {
  readonly #sent = new Map<string, SentLookup<T>>()

  /** Returns the result of `read`, which is called now or when the lookup in flight has ended. */
  find(key: string, read: () => Promise<T>): Promise<T> {
    const sent = this.#sent.get(key)
    if (sent === undefined) return this.#send(key, read)
    return (sent.next ??= sent.ended.then(() => this.#send(key, read)))
  }

  #send(key: string, read: () => Promise<T>): Promise<T> {
    const result = read()
    const end = () => {
      if (sent.next === undefined) this.#sent.delete(key)
    }
    const sent: SentLookup<T> = { ended: result.then(end, end), next: undefined }
    this.#sent.set(key, sent)
    return result
  }
}
