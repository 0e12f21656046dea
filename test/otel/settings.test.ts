import { test } from 'tap'
import { diagnosticLogger } from '../../src/otel/otlp/diagnostic-logger.ts'
import { loadPackages } from '../../src/otel/otlp/packages.ts'
import { readOtlpSettings } from '../../src/otel/otlp/settings.ts'

test('without variables the sampler is that of the specification, and the SDK has its own limits', async t => {
  t.match(readOtlpSettings({ OTEL_TRACES_SAMPLER: ' ', OTEL_BSP_MAX_QUEUE_SIZE: '' }), {
    sampler: 'parentbased_always_on',
    samplerRatio: 1,
    batch: { maxQueueSize: undefined },
    limits: { eventCountLimit: undefined },
  })
})

test('the variables of the sampler, the batch and the limits are read', async t => {
  t.same(
    readOtlpSettings({
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_BSP_EXPORT_TIMEOUT: '200',
      OTEL_BSP_MAX_QUEUE_SIZE: '64',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '32',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '9',
      OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '10',
      OTEL_ATTRIBUTE_COUNT_LIMIT: '11',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '12',
      OTEL_SPAN_LINK_COUNT_LIMIT: '13',
      OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '14',
      OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: '15',
    }),
    {
      sampler: 'traceidratio',
      samplerRatio: 0.25,
      batch: { scheduledDelayMillis: 100, exportTimeoutMillis: 200, maxQueueSize: 64, maxExportBatchSize: 32 },
      limits: {
        attributeValueLengthLimit: 10,
        attributeCountLimit: 11,
        eventCountLimit: 12,
        linkCountLimit: 13,
        attributePerEventCountLimit: 14,
        attributePerLinkCountLimit: 15,
      },
    },
  )
})

test('a disabled SDK and no exporter have no settings', async t => {
  t.equal(readOtlpSettings({ OTEL_SDK_DISABLED: 'TRUE' }), undefined)
  t.equal(readOtlpSettings({ OTEL_TRACES_EXPORTER: 'none' }), undefined)
  t.ok(readOtlpSettings({ OTEL_SDK_DISABLED: 'false', OTEL_TRACES_EXPORTER: 'otlp' }))
})

test('each wrong variable is named with its fix, and the value of an endpoint is not shown', async t => {
  for (const [name, value, said] of [
    ['OTEL_SDK_DISABLED', 'yes', "OTEL_SDK_DISABLED: must be true or false, got 'yes'"],
    ['OTEL_TRACES_EXPORTER', 'jaeger', "OTEL_TRACES_EXPORTER: must be otlp or none, got 'jaeger'"],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'grpc', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: must be http/json'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'user:secret@host', 'OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0', 'OTEL_BSP_MAX_QUEUE_SIZE: must be an integer from 1 to'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '10', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE: must be at most OTEL_BSP_MAX_QUEUE_SIZE (10)'],
    ['OTEL_SPAN_EVENT_COUNT_LIMIT', '1.5', 'OTEL_SPAN_EVENT_COUNT_LIMIT: must be an integer from 0 to'],
  ] as const) {
    t.throws(() => readOtlpSettings({ [name]: value }), { name: 'ConfigError', message: said }, said)
  }
  t.throws(() => readOtlpSettings({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }), {
    message: "OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1, got '2'",
  })
  t.notMatch(
    messageOf(() => readOtlpSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'user:secret@host' })),
    /secret/,
  )
})

test('a missing package is an error with the command that installs all of them', async t => {
  const missing = Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
  await t.rejects(
    loadPackages(async name => (name.endsWith('resources') ? Promise.reject(missing) : {})),
    {
      name: 'ConfigError',
      message:
        /^--otlp: the package @opentelemetry\/resources is not installed beside headwaters: run npm install @opentelemetry\/api /,
    },
  )
  const broken = new Error('broken')
  await t.rejects(
    loadPackages(() => Promise.reject(broken)),
    broken,
  )
})

test('errors of the SDK are passed on once a minute, with their message only, and warnings always', async t => {
  const said: string[] = []
  let now = 0
  const logger = diagnosticLogger(
    message => said.push(message),
    () => now,
  )
  logger.error(JSON.stringify({ stack: 'Error: at …', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' }))
  logger.error('a second one')
  logger.warn('a variable is wrong')
  logger.info('not passed on')
  now = 60_000
  logger.error(JSON.stringify({ message: 'late' }))
  now = 120_000
  logger.error('x'.repeat(400))
  t.same(said, [
    'OpenTelemetry: connect ECONNREFUSED (ECONNREFUSED)',
    'OpenTelemetry: a variable is wrong',
    'OpenTelemetry: late',
    `OpenTelemetry: ${'x'.repeat(300)}…`,
  ])
})

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return (error as Error).message
  }
  return ''
}
