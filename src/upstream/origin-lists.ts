import { hasOneUrl, listKey } from './spec/origins-spec.ts'
import type { UpstreamAddress } from './transport/transport.ts'

/** The lists of origins of the upstreams that a runtime has opened. */
export class OriginLists {
  readonly #lists = new Map<string, string>()

  /**
   * Adds the list of an upstream.
   *
   * @throws `TypeError` for an upstream with the name of another one and with other origins. Keys of stored answers
   *   have the name, so each would get the answers of the other.
   */
  add(name: string, { url, origins }: UpstreamAddress): void {
    if (origins === undefined || hasOneUrl(origins)) return
    const list = listKey(origins)
    const other = this.#lists.get(url.href) ?? list
    if (other !== list)
      throw new TypeError(
        `upstream '${name}': another upstream of this runtime has the same name and other origins, ` +
          'and would share its stored answers: give each a name of its own',
      )
    this.#lists.set(url.href, list)
  }
}
