/** A request that a route of a demo upstream receives. */
export interface DemoRequest {
  /** The number of earlier requests. All random choices depend on it. */
  number: number
  /** The origin of the demo upstream, for links. */
  origin: string
  /** The path as it was sent. */
  path: string
  /** The decoded values of the path's `:names`. */
  params: Readonly<Record<string, string>>
  query: URLSearchParams
}

/** The answer of a route. */
export interface DemoAnswer {
  /** @default 200 */
  status?: number
  headers?: Readonly<Record<string, string>>
  /** The value that is written as JSON. */
  body?: unknown
  /** The text that is written instead of a body, unchanged. */
  text?: string
}

/** One path of a demo upstream, such as `/v1/breeds/:id`, and its answer. */
export interface DemoRoute {
  path: string
  answer: (request: DemoRequest) => DemoAnswer
}
