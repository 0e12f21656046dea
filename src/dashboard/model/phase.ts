import type { DashboardEvent } from '../protocol.ts'

/** The state of the connection to the service. Moments are ms of the clock of the connection. */
export type Phase =
  /** The first try runs; there are no numbers to show. */
  | { readonly name: 'connecting' }
  | { readonly name: 'live' }
  /** The connection ended and another try runs. */
  | { readonly name: 'lost'; readonly reason: string }
  /** The next try is at `tryAt`. */
  | { readonly name: 'waiting'; readonly reason: string; readonly tryAt: number }
  /** The service asks for the key of the operator; it has refused one if `isRefused`. */
  | { readonly name: 'locked'; readonly isRefused: boolean }
  /** The service does not serve the dashboard. */
  | { readonly name: 'off' }
  /** The page has been hidden for a minute and reads nothing. */
  | { readonly name: 'hidden' }
  /** The service has another version than the page. */
  | { readonly name: 'outdated' }

/** The key of the operator, which the browser keeps as long as the tab is open. */
export interface KeyStore {
  read(): string | undefined
  write(key: string): void
  forget(): void
}

/** The clock and the timers of the browser. */
export interface Timers {
  now(): number
  /** Calls the action once after a time in ms, and returns a function that prevents it. */
  after(ms: number, action: () => void): () => void
  /** A number from 0 to 1. */
  random(): number
}

/** The parts of the page that a connection uses. */
export interface ConnectionOptions {
  readonly url: string
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly key: KeyStore
  readonly timers: Timers
  readonly onEvent: (event: DashboardEvent) => void
  readonly onPhase: (phase: Phase) => void
}
