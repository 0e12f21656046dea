import type { HeaderReads } from '../upstream/call/inbound.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import type { Vary } from './vary.ts'

/** Records on which headers of its request the reply of one run depends. */
export class Reads implements HeaderReads {
  vary: Vary
  /** Whether every header was read, so that no list of names would do. */
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

  /** Records that an upstream is asked, whatever comes of it. */
  asked(upstream: UpstreamSpec): void {
    this.vary = this.vary.forwarded(upstream)
  }
}
