import type { z } from 'zod'
import type { HeaderFields } from '../core/schema/header-fields.ts'
import type { TextParser } from '../core/schema/text-parser.ts'
import type { CallFlow } from '../upstream/call/flow.ts'
import type { DeclaredProblems } from './declared-problems.ts'
import type { Schema } from './inference.ts'
import type { SourcesLevel } from './sources-level.ts'
import type { Vary } from './vary.ts'

/** The importance of an aggregate's runs when there is too little capacity for all runs. */
export type Criticality = 'high' | 'normal' | 'low'

/** The route of an aggregate and the schemas of its input. */
export interface Route {
  /** Path template: `/v1/breeds/{breed}`. */
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Limit on the whole run, in ms from its start. */
  readonly deadline: number
  readonly criticality: Criticality
  /** The flow of the calls of all runs. Its weight is that of the criticality. */
  readonly flow: CallFlow
  readonly params: Schema
  readonly query: Schema
  readonly body: Schema
  /** True if the schema of the body accepts values of any depth. The depth of each body is then checked. */
  readonly isBodyOpen: boolean
  readonly headers: Schema
  /** The parsers of the parts that are texts, if they have a schema. */
  readonly texts: Readonly<Record<'params' | 'query' | 'headers', TextParser | undefined>>
  /** The headers that the schema of headers reads. */
  readonly headerFields: HeaderFields | undefined
  /**
   * True if the body of the reply is `{ data, complete, sources }`. Otherwise the body is the data, and headers contain
   * the rest.
   */
  readonly envelope: boolean
  /** The `cache-control` of a complete reply. */
  readonly cacheControl: string | undefined
  /** The request headers on which every complete reply depends; undefined without a `cacheControl`. */
  readonly vary: Vary | undefined
  /** The problems that the aggregate declares, by status. */
  readonly problems: DeclaredProblems | undefined
  /** The part of the outcomes that callers see; undefined for that of the service. */
  readonly sources: SourcesLevel | undefined
  /** True if callers may have the reply as a stream. */
  readonly stream: boolean
  /** True if batches may call the aggregate. */
  readonly batch: boolean
  /** True if the aggregate can be run over many inputs. */
  readonly bulk: boolean
  /** True if shared caches may keep a complete reply. */
  readonly isShared: boolean
  readonly summary: string | undefined
  readonly description: string | undefined
}

/** The options of `aggregate` except its schemas. */
export interface RouteOptions<P> {
  /**
   * Path template. A parameter is a whole segment, or a part of a segment with literal text. Of the templates that
   * match, the most specific one is used. The order of declaration does not matter.
   *
   * @example '/v1/breeds/{breed}'
   * @example '/jobs/{id}:cancel'
   */
  readonly url: P
  /** The method of the route. @default 'GET', or 'POST' with a body */
  readonly method?: Route['method']
  /** Limit on the whole run, in ms from its start. A caller may shorten it. @default 2000 */
  readonly deadline?: number
  /**
   * The importance of the aggregate when there is too little capacity: permits are divided 4:2:1, and runs of the
   * lowest criticality are refused first.
   * @default 'normal'
   */
  readonly criticality?: Criticality
  /**
   * If true, the body of the reply is `{ data, complete, sources }`. If false, the body is the data, and headers
   * contain the rest.
   * @default true
   */
  readonly envelope?: boolean
  /** The `cache-control` of a complete reply, which then has an `etag` and a `vary` too. @default 'no-store' */
  readonly cacheControl?: string
  /**
   * The problems that the aggregate answers with `refuse`, by status from 400 to 599: a sentence, or a zod schema that
   * the body of the problem must match. The API document describes them.
   * @default no problems beside those of the service
   */
  readonly problems?: Readonly<Record<number, string | z.ZodType>>
  /**
   * The part of the outcomes of the steps that callers see, in replies, headers and problems. `full` shows all of it,
   * `states` the names and states of the steps, and `none` nothing.
   * @default the option `sources` of the service, which is `full` unless set
   */
  readonly sources?: SourcesLevel
  /**
   * If true, a caller whose `accept` header asks for a stream gets the parts of the reply as they arrive.
   * @default true
   */
  readonly stream?: boolean
  /** If true, the calls of a batch may name the aggregate. @default false */
  readonly batch?: boolean
  /** If true, the aggregate can be run over many inputs, which are stored with their results. @default false */
  readonly bulk?: boolean
  /** One line for the API's documentation. @default no summary */
  readonly summary?: string
  /** A longer text for the API's documentation, in Markdown. @default no description */
  readonly description?: string
}
