// The health check of the image, which has no shell and no curl. Exits with 0 if the service is ready.
const { get } = require('node:http')

// The service ignores a variable without a value.
const HOST = (process.env.HOST || '').trim()
const PORT = (process.env.PORT || '').trim() || '3000'
const isAnyAddress = ['', '0.0.0.0', '::'].includes(HOST)
const request = get(
  { host: isAnyAddress ? '127.0.0.1' : HOST, port: PORT, path: '/health/ready', agent: false, timeout: 2000 },
  response => {
    response.pipe(process.stdout)
    process.exitCode = response.statusCode === 200 ? 0 : 1
  },
)
request.on('timeout', () => request.destroy(new Error('no answer within 2 s')))
request.on('error', ({ message }) => {
  console.error(message)
  process.exitCode = 1
})
