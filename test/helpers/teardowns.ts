/** Collects what must end later. A test of tap is one. */
export interface Teardowns {
  teardown(end: () => unknown): unknown
}
