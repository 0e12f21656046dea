import type { HeaderReads } from '../upstream/call/inbound.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import type { Vary } from './vary.ts'

/** Records the request headers on which the reply of one run depends. */
export class HeaderReadTracker implements HeaderReads {
  vary: Vary
  /** True if all headers were read at once, so that no list of names is complete. */
  isWhole = false

  constructor(vary: Vary) {
    this.vary = vary
  }

  read(name: string): void {
    this.vary = this.vary.read(name)
  }

  readAll(): void {
    this.isWhole = true
  }

  /** Adds the headers that the calls of an upstream forward. The result of the call does not matter. */
  addForwarded(upstream: UpstreamSpec): void {
    this.vary = this.vary.forwarded(upstream)
  }
}
