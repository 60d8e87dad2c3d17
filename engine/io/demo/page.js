// SPDX-License-Identifier: MIT
// The page of a demo: starts onnxruntime-web from what is embedded, runs both networks on every sample picture,
// and measures both in turns, so that a slow moment of the machine is shared by both.
(async () => {
'use strict';

const TEXTS = {
  en: {
    subtitle: (method) => `The original network and the pruned one, side by side, in this browser.${method ? ` Cut by ${method}.` : ''}`,
    original: 'Original', pruned: 'Pruned', loading: 'Starting both networks…', running: 'Both networks look at the pictures…',
    measure: 'Measure again', measuring: 'Measuring…', own: 'Try your own picture…', language: '中文',
    speed: 'Time per picture', speedTip: 'Median of runs in this browser, on this machine, one thread, both networks in turns.',
    size: 'File size', macs: 'Multiply-accumulates per picture', accuracy: 'Test accuracy',
    accuracyTip: (n) => `Test accuracy was measured by Penjing on ${n} test pictures; the strip at the bottom of its window shows a quick estimate on fewer of them, which can differ by a point or two.`,
    faster: (x) => `${x}× faster`, slower: (x) => `${x}× slower`, less: (p) => `−${p} %`, points: (p) => `${p} points`, same: 'the same',
    pictures: 'Sample pictures', label: (name) => `Label: ${name}`, mine: 'Your own picture',
    agreement: (same, n, a, b) => `The same answer for ${same} of ${n} pictures; right: ${a} before, ${b} after`,
    both: 'both are right', wrong: 'the same wrong answer', changed: 'the answer changed',
    ms: (x) => `${x} ms`, runs: (n) => `median of ${n} runs`, of: (n) => ` on ${n} pictures`,
    made: 'Made with Penjing. Runs with onnxruntime-web, © Microsoft Corporation, MIT licence. Nothing leaves this page.',
    proof: (hash) => `pruned.onnx: SHA-256 ${hash}`, seed: (method, seed) => `Method ${method}, seed ${seed}`,
    failed: (why) => `The networks could not be started: ${why}`, unreadable: 'This picture could not be read.',
  },
  zh: {
    subtitle: (method) => `原始网络与剪枝后的网络并排运行在此浏览器中。${method ? `剪枝方法：${method}。` : ''}`,
    original: '原始网络', pruned: '剪枝后', loading: '正在启动两个网络…', running: '两个网络正在识别图片…',
    measure: '重新测量', measuring: '正在测量…', own: '试试自己的图片…', language: 'English',
    speed: '每张图片用时', speedTip: '在本机此浏览器中单线程交替运行两个网络所得的中位数。',
    size: '文件大小', macs: '每张图片的乘加次数', accuracy: '测试准确率', accuracyTip: (n) => `测试准确率由 Penjing 在 ${n} 张测试图片上测得；其窗口底部显示的是在较少图片上的快速估计，可能相差一两个百分点。`,
    faster: (x) => `快 ${x} 倍`, slower: (x) => `慢 ${x} 倍`, less: (p) => `−${p} %`, points: (p) => `${p} 个百分点`, same: '相同',
    pictures: '示例图片', label: (name) => `标签：${name}`, mine: '自己的图片',
    agreement: (same, n, a, b) => `${n} 张图片中有 ${same} 张答案相同；答对：剪枝前 ${a} 张，剪枝后 ${b} 张`,
    both: '两者都正确', wrong: '答错且答案相同', changed: '答案改变了',
    ms: (x) => `${x} 毫秒`, runs: (n) => `${n} 次运行的中位数`, of: (n) => `（${n} 张图片）`,
    made: '由 Penjing（盆景）制作。使用 onnxruntime-web 运行，© Microsoft Corporation，MIT 许可证。任何数据都不会离开此页面。',
    proof: (hash) => `pruned.onnx：SHA-256 ${hash}`, seed: (method, seed) => `方法 ${method}，随机种子 ${seed}`,
    failed: (why) => `网络无法启动：${why}`, unreadable: '无法读取这张图片。',
  },
};

const $ = (id) => document.getElementById(id);
const content = JSON.parse($('content').textContent);
const [C, H, W] = content.shape;
const SIDES = ['original', 'pruned'];
let language = (navigator.language || 'en').toLowerCase().startsWith('zh') ? 'zh' : 'en';
let text = TEXTS[language];
const nets = {};
const pictures = content.pictures.map((p) => ({ label: p.label, bytes: bytesOf(p.pixels), answers: {} }));
let selected = pictures[0], status = ['loading'];

function bytesOf(base64) {
  const letters = atob(base64), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

// Takes the text out of the page as well: it is not needed twice.
function take(id) {
  const element = $(id), bytes = bytesOf(element.textContent);
  element.remove();
  return bytes;
}

async function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const number = (x, digits) => x.toLocaleString(language === 'zh' ? 'zh-CN' : 'en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const digitsFor = (x) => (x < 0.0995 ? 3 : x < 9.95 ? 2 : x < 99.5 ? 1 : 0);
function unit(x, units) {
  let i = 0;
  for (; x >= 1000 && i < units.length - 1; i++) x /= 1000;
  return `${number(x, i === 0 || x >= 99.5 ? 0 : x >= 9.95 ? 1 : 2)} ${units[i]}`;
}

// --- the networks ---

// x = (pixel/255 − mean)/std, as Penjing does it.
function tensorOf(ort, bytes) {
  const data = new Float32Array(C * H * W);
  for (let c = 0, i = 0; c < C; c++)
    for (let p = 0; p < H * W; p++, i++) data[i] = (bytes[i] / 255 - content.mean[c]) / content.std[c];
  return new ort.Tensor('float32', data, [1, C, H, W]);
}

// Scores of a network that ends before its softmax become shares.
function shares(output) {
  let sum = 0, least = 1;
  for (const x of output) { sum += x; least = Math.min(least, x); }
  if (least >= 0 && Math.abs(sum - 1) < 1e-3) return Array.from(output);
  const top = output.reduce((a, b) => Math.max(a, b), -Infinity), e = Array.from(output, (x) => Math.exp(x - top));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / total);
}

async function look(picture) {
  for (const side of SIDES) {
    const net = nets[side];
    const result = await net.session.run({ [net.session.inputNames[0]]: net.tensorOf(picture.bytes) });
    const output = result[net.session.outputNames[0]].data, p = shares(output);
    const order = p.map((_, i) => i).sort((a, b) => p[b] - p[a] || a - b).slice(0, 5);
    picture.answers[side] = { output: Array.from(output), top: order.map((i) => ({ i, p: p[i] })) };
  }
}

const median = (list) => { const s = [...list].sort((a, b) => a - b), m = s.length >> 1; return s.length % 2 ? s[m] : (s[m - 1] + s[m]) / 2; };

// Rounds of both in turns.  The clock of a page is coarse, so that a round repeats fast networks.
async function measure() {
  const feeds = {}, repeats = {};
  for (const side of SIDES) {
    const { session, tensorOf } = nets[side];
    feeds[side] = { [session.inputNames[0]]: tensorOf(pictures[0].bytes) };
    await session.run(feeds[side]);
    const start = performance.now();
    await session.run(feeds[side]);
    repeats[side] = Math.max(1, Math.min(200, Math.round(12 / Math.max(performance.now() - start, 0.05))));
    nets[side].times = [];
  }
  const end = performance.now() + 4000;
  for (let round = 0; round < 25 && (round < 11 || performance.now() < end); round++) {
    for (const side of SIDES) {
      const start = performance.now();
      for (let i = 0; i < repeats[side]; i++) await nets[side].session.run(feeds[side]);
      nets[side].times.push((performance.now() - start) / repeats[side]);
    }
    // The page stays usable between rounds.
    await new Promise((resolve) => setTimeout(resolve));
  }
  for (const side of SIDES) nets[side].runs = nets[side].times.length * repeats[side];
}

async function start() {
  // A page from a file may import nothing but what it made itself.
  const address = async (id, type) => URL.createObjectURL(new Blob([await gunzip(take(id))], { type }));
  const ort = await import(await address('runtime-code', 'text/javascript'));
  ort.env.wasm.wasmPaths = { mjs: await address('runtime-loader', 'text/javascript'), wasm: await address('runtime-wasm', 'application/wasm') };
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  for (const side of SIDES) {
    const session = await ort.InferenceSession.create(take(side), { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
    nets[side] = { session, times: [], tensorOf: (bytes) => tensorOf(ort, bytes) };
  }
}

// --- the page ---

function paint(canvas, bytes) {
  canvas.width = W;
  canvas.height = H;
  canvas.classList.toggle('pixels', Math.max(H, W) <= 64);
  const context = canvas.getContext('2d'), image = context.createImageData(W, H), n = H * W;
  for (let p = 0; p < n; p++) {
    for (let c = 0; c < 3; c++) image.data[4 * p + c] = bytes[(C === 1 ? 0 : c * n) + p];
    image.data[4 * p + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function pair(values, show) {
  const most = Math.max(...values, 1e-12);
  const rows = SIDES.flatMap((side, i) => {
    const bar = element('i', { className: side });
    bar.style.width = `${100 * values[i] / most}%`;
    return [element('span', { className: 'name', textContent: text[side] }), element('div', { className: 'track' }, bar),
            element('span', { className: 'value', textContent: show(values[i]) })];
  });
  return element('div', { className: 'pair' }, ...rows);
}

function card(id, title, big, values, show, tip) {
  return element('div', { className: 'card', id, title: tip || '' }, element('h2', { textContent: title }),
                 element('div', { className: 'big', textContent: big }), pair(values, show));
}

// "0.9185 of 10000"
function accuracyOf(note) {
  const found = /^([\d.]+) of (\d+)/.exec(note || '');
  return found && { share: +found[1], n: +found[2] };
}

function lessBy(key) {
  const share = 100 * (1 - content.pruned[key] / content.original[key]);
  return share < 0.05 ? text.same : text.less(number(share, share >= 99.5 ? 1 : 0));
}

function showCards() {
  const cards = [];
  if (nets.pruned && nets.pruned.times.length) {
    const times = SIDES.map((side) => median(nets[side].times)), x = times[0] / times[1];
    cards.push(card('speed', text.speed, x >= 1 ? text.faster(number(x, 2)) : text.slower(number(1 / x, 2)), times,
                    (t) => text.ms(number(t, digitsFor(t))), text.speedTip));
  }
  cards.push(card('size', text.size, lessBy('bytes'), SIDES.map((s) => content[s].bytes), (x) => unit(x, ['B', 'kB', 'MB', 'GB'])));
  cards.push(card('macs', text.macs, lessBy('macs'), SIDES.map((s) => content[s].macs), (x) => unit(x, ['', 'k', 'M', 'G'])));
  const before = accuracyOf(content.baseAccuracy), after = accuracyOf(content.accuracy);
  if (before && after) {
    const points = 100 * (after.share - before.share);
    cards.push(card('accuracy', text.accuracy + text.of(number(after.n, 0)), text.points(`${points < 0 ? '−' : '+'}${number(Math.abs(points), 2)}`),
                    [before.share, after.share], (x) => `${number(100 * x, 2)} %`, text.accuracyTip(number(after.n, 0))));
  }
  $('cards').replaceChildren(...cards);
}

function showPanel(side) {
  const net = nets[side], answer = selected.answers[side];
  const time = net.times.length ? median(net.times) : null;
  const rows = answer.top.map(({ i, p }) => {
    const bar = element('i');
    bar.style.width = `${100 * p}%`;
    return element('li', { className: i === selected.label ? 'right' : '' },
      element('div', { className: 'line' }, element('b', { textContent: content.classes[i] ?? i }), element('span', { textContent: `${number(100 * p, 1)} %` })),
      element('div', { className: 'track' }, bar));
  });
  $(`panel-${side}`).replaceChildren(
    element('div', { className: 'head' }, element('h2', { textContent: text[side] }),
            element('div', { className: 'ms', title: text.speedTip, textContent: time === null ? '' : text.ms(number(time, digitsFor(time))) })),
    element('p', { className: 'dim', textContent: `${unit(content[side].bytes, ['B', 'kB', 'MB', 'GB'])}${net.runs ? ` · ${text.runs(net.runs)}` : ''}` }),
    element('ol', {}, ...rows));
}

function select(picture) {
  selected = picture;
  paint($('picture'), picture.bytes);
  const name = picture.label === null ? text.mine : text.label(content.classes[picture.label]);
  $('caption').textContent = name;
  $('picture').setAttribute('aria-label', name);
  SIDES.forEach(showPanel);
  document.querySelectorAll('.thumb').forEach((thumb, i) => thumb.setAttribute('aria-selected', pictures[i] === picture));
}

function judge(picture) {
  const [a, b] = SIDES.map((side) => picture.answers[side].top[0].i);
  return a !== b ? ['changed', '≠'] : picture.label === null || a === picture.label ? ['both', '✓'] : ['wrong', '='];
}

function showGallery() {
  $('gallery').replaceChildren(...pictures.map((picture) => {
    const canvas = element('canvas'), [kind, sign] = judge(picture);
    const name = picture.label === null ? text.mine : content.classes[picture.label];
    paint(canvas, picture.bytes);
    const thumb = element('button', { type: 'button', className: 'thumb', title: `${name}: ${text[kind]}`, onclick: () => select(picture) },
                          canvas, element('span', { className: `mark ${kind}`, textContent: sign }));
    thumb.setAttribute('role', 'option');
    thumb.setAttribute('aria-label', `${name}: ${text[kind]}`);
    return thumb;
  }));
  const known = pictures.filter((p) => p.label !== null), right = (side) => known.filter((p) => p.answers[side].top[0].i === p.label).length;
  const same = known.filter((p) => p.answers.original.top[0].i === p.answers.pruned.top[0].i).length;
  $('agreement').textContent = text.agreement(same, known.length, right('original'), right('pruned'));
}

function say(...what) {
  status = what;
  const [key, argument] = what;
  $('status').hidden = !key;
  $('status').style.display = key ? '' : 'none';
  $('status').classList.toggle('failed', key === 'failed' || key === 'unreadable');
  $('status-text').textContent = key ? (typeof text[key] === 'function' ? text[key](argument) : text[key]) : '';
}

function showAll() {
  text = TEXTS[language];
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  $('subtitle').textContent = text.subtitle(content.method);
  $('measure').textContent = text.measure;
  $('own').textContent = text.own;
  $('language').textContent = text.language;
  $('pictures-title').textContent = text.pictures;
  $('gallery').setAttribute('aria-label', text.pictures);
  const measured = accuracyOf(content.accuracy);
  $('footer').replaceChildren(...[measured && content.baseAccuracy ? text.accuracyTip(number(measured.n, 0)) : null, text.proof(content.pruned.sha256), content.method && content.seed ? text.seed(content.method, content.seed) : null, text.made]
    .filter(Boolean).map((line) => element('p', { textContent: line })));
  say(...status);
  showCards();
  if (nets.pruned && selected.answers.pruned) {
    showGallery();
    select(selected);
  }
}

async function time() {
  const buttons = [$('measure'), $('own')];
  buttons.forEach((b) => { b.disabled = true; });
  $('measure').textContent = text.measuring;
  await measure();
  buttons.forEach((b) => { b.disabled = false; });
  showAll();
}

// Shorter side to the network's, centre cut out, as Penjing does it.
async function lookAtOwn(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return say('unreadable');
  }
  const scale = Math.max(W / bitmap.width, H / bitmap.height), w = bitmap.width * scale, h = bitmap.height * scale;
  const canvas = element('canvas', { width: W, height: H }), context = canvas.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, W, H);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, (W - w) / 2, (H - h) / 2, w, h);
  const data = context.getImageData(0, 0, W, H).data, bytes = new Uint8Array(C * H * W), n = H * W;
  for (let p = 0; p < n; p++) {
    const [r, g, b] = data.subarray(4 * p, 4 * p + 3);
    if (C === 1) bytes[p] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    else [r, g, b].forEach((x, c) => { bytes[c * n + p] = x; });
  }
  const picture = { label: null, bytes, answers: {} };
  await look(picture);
  pictures.push(picture);
  selected = picture;
  say();
  showAll();
}

$('measure').onclick = time;
$('own').onclick = () => $('file').click();
$('file').onchange = () => $('file').files[0] && lookAtOwn($('file').files[0]);
$('language').onclick = () => { language = language === 'zh' ? 'en' : 'zh'; showAll(); };
$('gallery').onkeydown = (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], at = pictures.indexOf(selected) + step;
  if (!step || !pictures[at]) return;
  select(pictures[at]);
  $('gallery').children[at].focus();
  event.preventDefault();
};
addEventListener('dragover', (event) => { event.preventDefault(); document.body.classList.add('over'); });
addEventListener('dragleave', () => document.body.classList.remove('over'));
addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('over');
  if (event.dataTransfer.files[0] && nets.pruned) lookAtOwn(event.dataTransfer.files[0]);
});

showAll();
try {
  await start();
  say('running');
  for (const picture of pictures) await look(picture);
  say();
  document.querySelector('main').hidden = false;
  showAll();
  await time();
  document.documentElement.dataset.state = 'ready';
} catch (reason) {
  say('failed', reason && reason.message || reason);
  document.documentElement.dataset.state = 'failed';
}
window.penjing = { content, pictures, nets };
})();
