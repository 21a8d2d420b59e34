// Answers for a kernel in the browser which widgets it holds: none.
//
// JupyterLab asks before it shows the widgets that a notebook has kept, and waits. JupyterLite's
// kernels never answer, so that an opened lesson would say "Loading widget..." for ever. None is the
// truth: such a kernel ends with its page. Written as a bundler would write it, like keep.js.

(() => {  // scripts share their names with the page and with one another
    const SERVICES = '@jupyterlab/services'
    const NONE = {content: {status: 'ok', comms: {}}}
    let shared = {}

    async function activate() {
        for (const version of Object.values(shared[SERVICES] || {})) {
            const {KernelConnection} = (await version.get())()
            KernelConnection.prototype.requestCommInfo = async () => NONE
        }
    }

    const plugin = {id: 'cnnbp-lite:answer', autoStart: true, activate}
    window._JUPYTERLAB = window._JUPYTERLAB || {}
    window._JUPYTERLAB['cnnbp-lite'] = {
        init: scope => { shared = scope },
        get: async () => () => plugin,
    }
})()
