import { readJsonText } from './core/json-text.ts'

/** The Redis that replicas of the service share. */
export interface RedisConfig {
  /** The server of `HEADWATERS_REDIS_URL`. @default the options name the server */
  readonly server?: RedisAddress
  /** The options of the client from `HEADWATERS_REDIS_OPTIONS`. They replace those of the URL. */
  readonly options: Readonly<Record<string, unknown>>
  /** The prefix of all keys. */
  readonly prefix: string
  /** The time that a call waits for one reply of Redis, in ms. */
  readonly patienceMs: number
}

/** The parts of a URL of Redis. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  /** @default no user */
  readonly username?: string
  /** @default no password */
  readonly password?: string
  /** The number of the database. */
  readonly db: number
  readonly isTls: boolean
}

interface RedisVariables {
  readonly HEADWATERS_REDIS_URL: string
  readonly HEADWATERS_REDIS_OPTIONS: string
  readonly HEADWATERS_REDIS_PREFIX: string
  readonly HEADWATERS_REDIS_PATIENCE_MS: number
}

const optionsVariable = 'HEADWATERS_REDIS_OPTIONS'
const urlForm = 'redis://user:password@host:6379/0, or rediss:// for TLS'

/** Reads the variables of Redis. Adds their faults to a list, and returns `undefined` if Redis is not used. */
export function readRedisConfig(variables: RedisVariables, faults: string[]): RedisConfig | undefined {
  const {
    HEADWATERS_REDIS_URL: url,
    HEADWATERS_REDIS_OPTIONS: text,
    HEADWATERS_REDIS_PREFIX: prefix,
    HEADWATERS_REDIS_PATIENCE_MS: patienceMs,
  } = variables
  if (url === '' && text === '') return undefined
  const server = url === '' ? undefined : readRedisUrl(url, optionsHint)
  if (typeof server === 'string') faults.push(`HEADWATERS_REDIS_URL: ${server}`)
  const options = text === '' ? {} : readOptions(text, faults)
  return Object.freeze({ ...(typeof server === 'object' && { server }), options, prefix, patienceMs })
}

const optionsHint = `: set the options of the client in ${optionsVariable}`

/**
 * Returns the parts of a URL, or its fault. The fault does not contain the URL, which can have a password.
 *
 * @param hint The place of the options of the client, for the fault of a URL with a query.
 */
export function readRedisUrl(text: string, hint = ''): RedisAddress | string {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '')
    return `must be a URL such as ${urlForm}`
  if (url.search !== '' || url.hash !== '') return `must not have a query or a fragment${hint}`
  const database = url.pathname.slice(1)
  const db = Number(database)
  if (!Number.isInteger(db) || db < 0) return `must end with the number of a database, for example ${urlForm}`
  try {
    return Object.freeze({
      host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
      port: url.port === '' ? 6379 : Number(url.port),
      ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
      ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
      db,
      isTls: url.protocol === 'rediss:',
    })
  } catch {
    return 'has a user or a password that is not percent-encoded: write each % as %25'
  }
}

function readOptions(text: string, faults: string[]): Readonly<Record<string, unknown>> {
  try {
    const options = readJsonText(optionsVariable, text, { isSecret: true })
    if (typeof options === 'object' && options !== null && !Array.isArray(options)) return Object.freeze({ ...options })
    faults.push(`${optionsVariable}: must be a JSON object with options of ioredis, for example {"name":"main"}`)
  } catch (error) {
    faults.push((error as Error).message)
  }
  return {}
}

/** The options of a client that are secrets. */
const secretOptions = ['password', 'sentinelPassword', 'passphrase', 'key', 'pfx']

/** Returns the secrets of the configuration, which a log must not contain. */
export function redisSecrets({ server, options }: RedisConfig): readonly string[] {
  const ofServer = server?.password
  return [...(ofServer === undefined ? [] : [ofServer]), ...secretsIn(options)]
}

function secretsIn(value: unknown, name?: string): string[] {
  if (typeof value === 'string')
    return name !== undefined && secretOptions.includes(name) ? [value] : passwordsOfUrl(value)
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap(each => secretsIn(each, name))
  return Object.entries(value).flatMap(([key, each]) => secretsIn(each, key))
}

/** Returns the password of a URL, such as that of a node of a cluster: as it is written, and decoded. */
export function passwordsOfUrl(text: string): string[] {
  const written = URL.parse(text)?.password ?? ''
  if (written === '') return []
  try {
    return [...new Set([written, decodeURIComponent(written)])]
  } catch {
    return [written]
  }
}

/** Returns a URL without its user and its password, for the log. */
export function shownRedisUrl(text: string, hidden: string): string {
  const url = URL.parse(text)
  if (url === null) return hidden
  const user = url.username === '' && url.password === '' ? '' : `${hidden}@`
  return `${url.protocol}//${user}${url.host}${url.pathname}`
}

/** The names of this machine. */
const ownHosts = ['localhost', '127.0.0.1', '::1']

/** Returns true if the shared state has this address. Names of one server that differ are not recognized. */
export function isSameDatabase({ host, port, db }: RedisAddress, { server, options }: RedisConfig): boolean {
  const other = { ...server, ...options }
  const nameOf = (text: unknown) =>
    ownHosts.includes(String(text).toLowerCase()) ? 'localhost' : String(text).toLowerCase()
  return nameOf(host) === nameOf(other.host) && port === Number(other.port ?? 6379) && db === Number(other.db ?? 0)
}
