import fastify, { type FastifyBaseLogger, type FastifyServerOptions } from 'fastify'
import { test } from 'tap'
import { tracedLoggers } from '../../../src/http/log/request-loggers.ts'

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const trace = { trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', trace_flags: '01' }

type Line = Record<string, unknown>
type LoggerOptions = Exclude<FastifyServerOptions['logger'], boolean | undefined>

/** Returns the lines of one request to an app whose hook logs with the logger of the request. */
async function linesOf(
  options: LoggerOptions,
  hook: (log: FastifyBaseLogger, app: FastifyBaseLogger) => void,
  route: { readonly logLevel?: 'warn' } = {},
): Promise<Line[]> {
  const lines: Line[] = []
  const logger = { ...options, stream: { write: (line: string) => void lines.push(JSON.parse(line) as Line) } }
  const app = fastify({ logger, genReqId: () => 'id-1', childLoggerFactory: tracedLoggers(logger, 0) })
  app.get('/', route, (request, reply) => {
    hook(request.log, app.log)
    void reply.send('')
  })
  await app.inject({ url: '/', headers: { traceparent } })
  await app.close()
  return lines
}

const said = (lines: readonly Line[], msg: string) => lines.filter(line => line['msg'] === msg)

test('the lines of a request have its id and its trace, and so have those of loggers derived from its logger', async t => {
  const lines = await linesOf({}, log => {
    log.info({ field: 1 }, 'own')
    const derived = log.child({ tenant: 'a' })
    derived.info('derived')
    derived.child({ user: 'b' }).info('derived twice')
    log.info('own again')
  })
  const fields = { reqId: 'id-1', ...trace }
  t.match(said(lines, 'own'), [{ ...fields, field: 1 }])
  t.match(said(lines, 'derived'), [{ ...fields, tenant: 'a' }])
  t.match(said(lines, 'derived twice'), [{ ...fields, tenant: 'a', user: 'b' }])
  t.match(said(lines, 'own again'), [fields])
  t.notOk('tenant' in (said(lines, 'own again')[0] as Line))
  const [{ span_id: span } = {}] = lines
  t.match(String(span), /^[\da-f]{16}$/)
  t.ok(lines.filter(({ reqId }) => reqId !== undefined).every(line => line['span_id'] === span))
})

test('the logger of a request has the methods of a logger of pino', async t => {
  const lines = await linesOf({ level: 'warn' }, (log, app) => {
    const own = log as typeof log & {
      bindings(): Line
      setBindings(fields: Line): void
      isLevelEnabled(level: string): boolean
    }
    t.match(own.bindings(), { reqId: 'id-1', ...trace })
    own.setBindings({ tenant: 'a' })
    t.match(own.bindings(), { reqId: 'id-1', ...trace, tenant: 'a' })
    t.notOk(own.isLevelEnabled('info'))
    own.info('not written')
    own.level = 'info'
    own.info('written')
    t.equal(app.level, 'warn')
  })
  t.same(said(lines, 'not written'), [])
  t.match(said(lines, 'written'), [{ reqId: 'id-1', ...trace, tenant: 'a' }])
})

test('a field that the app adds to its logger later is in the lines of later requests', async t => {
  const lines = await linesOf({}, (log, app) => {
    ;(app as typeof app & { setBindings(fields: Line): void }).setBindings({ region: 'eu' })
    log.info('own')
  })
  t.match(said(lines, 'own'), [{ region: 'eu', reqId: 'id-1', ...trace }])
})

test('options that change the fields of a logger apply to the lines of a request', async t => {
  const info = (log: FastifyBaseLogger) => log.info('own')
  const serialized = await linesOf({ serializers: { reqId: id => `<${String(id)}>` } }, info)
  t.match(said(serialized, 'own'), [{ reqId: '<id-1>', ...trace }])
  const redacted = await linesOf({ redact: ['reqId', 'trace_id'] }, info)
  t.match(said(redacted, 'own'), [{ reqId: '[Redacted]', trace_id: '[Redacted]' }])
  const formatted = await linesOf({ formatters: { bindings: fields => ({ ...fields, extra: true }) } }, info)
  t.match(said(formatted, 'own'), [{ extra: true, reqId: 'id-1', ...trace }])
  const children: unknown[] = []
  await linesOf({ onChild: child => void children.push(child.bindings()) }, info)
  t.match(children, [{ reqId: 'id-1', ...trace }])
  const level = await linesOf({}, info, { logLevel: 'warn' })
  t.same(said(level, 'own'), [], 'the level of the route')
})
