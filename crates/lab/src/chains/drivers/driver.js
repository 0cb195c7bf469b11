// Reads "id host port anchors" lines, prints "id ok" or "id no reason".
const fs = require('fs');
const net = require('net');
const tls = require('tls');
const tasks = fs.readFileSync(0, 'utf8').split('\n').filter(Boolean).map((line) => line.split('\t'));
function next() {
  const task = tasks.shift();
  if (!task) return;
  const [id, host, port, anchors] = task;
  let said = false;
  const say = (text) => {
    if (said) return;
    said = true;
    console.log(id + '\t' + text);
    socket.destroy();
    next();
  };
  const options = { port: Number(port), host: '127.0.0.1', ca: fs.readFileSync(anchors) };
  // The name that is checked is the one of this option where the connection goes to an address.
  if (net.isIP(host)) options.checkServerIdentity = (_, certificate) => tls.checkServerIdentity(host, certificate);
  else options.servername = host;
  const socket = tls.connect(options, () => say('ok'));
  socket.on('error', (error) => say('no\t' + (error.code || '') + ' ' + error.message.replace(/\s+/g, ' ')));
}
next();
