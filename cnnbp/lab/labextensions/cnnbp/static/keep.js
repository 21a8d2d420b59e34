// Saves a lesson's pictures, whether a kernel moves them or not.
//
// JupyterLab's widget manager saves the widgets that a kernel holds and drops all others. A lesson
// that was opened again, or whose kernel was restarted, would lose its pictures at the next save,
// which comes by itself within two minutes. This is written as a bundler would write it, so that
// nothing has to be built: https://jupyterlab.readthedocs.io/en/stable/extension/extension_dev.html

(() => {  // scripts share their names with the page and with one another
    const BASE = '@jupyter-widgets/base'
    const VIEW = 'application/vnd.jupyter.widget-view+json'
    const LINKS = ['LinkModel', 'DirectionalLinkModel']  // which nothing refers to
    let shared = {}

    async function activate() {
        for (const version of Object.values(shared[BASE] || {})) {
            const {WidgetModel} = (await version.get())()
            const {initialize} = WidgetModel.prototype
            WidgetModel.prototype.initialize = function (attributes, options) {
                teach(options.widget_manager)
                return initialize.call(this, attributes, options)
            }
        }
    }

    // From now on this manager's state holds what its notebook shows and what a kernel holds.
    function teach(manager) {
        if (!manager._modelsSync || !manager.context || manager.keepsPictures) return
        manager.keepsPictures = true
        const get = manager.get_state_sync
        manager.get_state_sync = function (options) {
            const models = [...this._modelsSync.values()]
            const asleep = models.filter(model => !model.comm_live)
            const awake = models.filter(model => model.comm_live).map(model => model.model_id)
            asleep.forEach(model => { model._comm_live = true })
            try {
                const all = get.call(this, options)
                return {...all, state: reachable(all.state, [...awake, ...shown(this.context.model)])}
            } finally {
                asleep.forEach(model => { model._comm_live = false })
            }
        }
    }

    // The widgets that stand in the outputs of a notebook.
    function shown(notebook) {
        const outputs = [...notebook.cells].flatMap(cell => cell.outputs ? cell.outputs.toJSON() : [])
        return outputs.flatMap(output => output.data?.[VIEW]?.model_id ?? [])
    }

    // Of all states those from which these widgets are made, and the links between them.
    function reachable(all, ids) {
        const parts = id => [...JSON.stringify(all[id].state).matchAll(/IPY_MODEL_(\w+)/g)]
            .map(found => found[1])
        const kept = new Set()
        for (const left = [...ids]; left.length;) {
            const id = left.pop()
            if (kept.has(id) || !all[id]) continue
            kept.add(id)
            left.push(...parts(id))
        }
        const links = Object.keys(all).filter(id =>
            LINKS.includes(all[id].model_name) && parts(id).every(part => kept.has(part)))
        return Object.fromEntries([...kept, ...links].map(id => [id, all[id]]))
    }

    const plugin = {id: 'cnnbp:keep', autoStart: true, activate}
    window._JUPYTERLAB = window._JUPYTERLAB || {}
    window._JUPYTERLAB.cnnbp = {
        init: scope => { shared = scope },
        get: async () => () => plugin,
    }
})()
